"""Documents by the second: PDFs, e-invoices, and PDFs that carry one, in as many threads as the product uses.

No database and no disk: what is measured is drawing and writing. Sizes: `--invoices`, `--lines` of each.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.report import peak_memory_mib, publish
from tallystick.providers import einvoice, pdf

LOCALE = "en"
ISSUER: dict[str, Any] = {
    "code": "northwind",
    "name": "Northwind",
    "legal_name": "Northwind Analytics SAS",
    "country": "FR",
    "city": "Lyon",
    "zipcode": "69002",
    "address_line1": "12 rue des Tanneurs",
    "email": "billing@northwind.example",
    "tax_identification_number": "FR40812345678",
    "eu_tax_management": False,
    "logo_url": None,
}
CUSTOMER: dict[str, Any] = {
    "external_id": "acme",
    "name": "Acme Robotics",
    "country": "DE",
    "city": "Berlin",
    "applicable_timezone": "Europe/Berlin",
    "metadata": [],
}


def invoice(number: int, lines: int) -> dict[str, Any]:
    """An issued invoice over usage, as the REST contract shows it."""
    fees = [fee(number, line) for line in range(lines)]
    net = sum(one["amount_cents"] for one in fees)
    tax = net // 5
    return {
        "lago_id": f"00000000-0000-7000-8000-{number:012d}",
        "number": f"NOR-001-{number:06d}",
        "invoice_type": "subscription",
        "currency": "EUR",
        "issuing_date": "2025-06-01",
        "payment_due_date": "2025-07-01",
        "net_payment_term": 30,
        "self_billed": False,
        "fees_amount_cents": net,
        "coupons_amount_cents": 0,
        "progressive_billing_credit_amount_cents": 0,
        "sub_total_excluding_taxes_amount_cents": net,
        "taxes_amount_cents": tax,
        "sub_total_including_taxes_amount_cents": net + tax,
        "credit_notes_amount_cents": 0,
        "prepaid_credit_amount_cents": 0,
        "prepaid_granted_credit_amount_cents": None,
        "prepaid_purchased_credit_amount_cents": None,
        "total_amount_cents": net + tax,
        "created_at": "2025-06-01T00:00:00Z",
        "customer": CUSTOMER,
        "subscriptions": [{"lago_id": "s", "name": "Production", "plan_code": "p"}],
        "billing_periods": [{"charges_from_datetime": "2025-05-01T00:00:00Z"}],
        "fees": fees,
        "credits": [],
        "applied_taxes": [
            {"tax_name": "VAT", "tax_code": "vat", "tax_rate": 20.0, "amount_cents": tax, "fees_amount_cents": net}
        ],
    }


def fee(number: int, line: int) -> dict[str, Any]:
    """A usage fee of 100 units."""
    cents = 100 + (number * 7 + line * 13) % 900
    item = {"type": "charge", "name": f"Service {line:03d}", "invoice_display_name": None}
    return {
        "lago_id": f"{number}-{line}",
        "lago_subscription_id": "s",
        "item": {**item, "filter_invoice_display_name": None, "grouped_by": {"region": "eu"}},
        "amount_cents": cents,
        "units": "100.0",
        "precise_unit_amount": str(cents / 10000),
        "taxes_rate": 20.0,
        "taxes_precise_amount": str(cents / 500),
        "precise_coupons_amount_cents": "0.0",
        "events_count": 100,
        "amount_details": {},
        "presentation_breakdowns": [],
        "from_date": "2025-05-01T00:00:00+00:00",
        "to_date": "2025-05-31T23:59:59+00:00",
        "applied_taxes": [],
    }


def draw(made: dict[str, Any]) -> bytes:
    """A plain PDF."""
    return pdf.render_invoice(made, ISSUER, LOCALE)


def write(made: dict[str, Any]) -> bytes:
    """UBL and CII, both checked."""
    return einvoice.invoice_files(made, ISSUER, LOCALE)[0]


def carry(made: dict[str, Any]) -> bytes:
    """A PDF/A-3 with the CII inside."""
    _, inside = einvoice.invoice_files(made, ISSUER, LOCALE)
    drawn = pdf.render_invoice(made, ISSUER, LOCALE, archival=True)
    return einvoice.embed(drawn, inside, made["number"], ISSUER, LOCALE)


Work = Callable[[dict[str, Any]], bytes]


def measure(threads: ThreadPoolExecutor, name: str, work: Work, made: list[dict[str, Any]]) -> dict[str, float]:
    """Documents by the second and processor time of each, after every thread has warmed up."""
    list(threads.map(work, made[: 2 * (os.cpu_count() or 1)]))
    started, used = time.perf_counter(), time.process_time()
    list(threads.map(work, made))
    seconds, busy = time.perf_counter() - started, time.process_time() - used
    return {
        f"{name} per second": round(len(made) / seconds, 1),
        f"{name}: processor milliseconds of each": round(busy / len(made) * 1000, 2),
    }


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=200)
    parser.add_argument("--lines", type=int, default=10)
    sizes = parser.parse_args()
    made = [invoice(number, sizes.lines) for number in range(sizes.invoices)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        figures = {
            "invoices": sizes.invoices,
            "lines of each": sizes.lines,
            "threads": os.cpu_count(),
            **measure(threads, "PDFs", draw, made),
            **measure(threads, "e-invoices (UBL and CII)", write, made),
            **measure(threads, "Factur-X PDFs", carry, made),
            "bytes of a PDF": len(draw(made[0])),
            "bytes of a Factur-X PDF": len(carry(made[0])),
            "peak memory (MiB)": peak_memory_mib(),
        }
    publish("documents", figures)


if __name__ == "__main__":
    main()
