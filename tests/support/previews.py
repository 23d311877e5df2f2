"""Previews over HTTP, and how they compare with the invoices that are really made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tallystick.ground.installation import Installation
from tallystick.ground.tables import Base
from tests.support.api import Api, Status

#: what a preview and the invoice it foretells have in common
TOTALS = (
    "issuing_date",
    "payment_due_date",
    "net_payment_term",
    "currency",
    "billing_entity_code",
    "fees_amount_cents",
    "coupons_amount_cents",
    "progressive_billing_credit_amount_cents",
    "sub_total_excluding_taxes_amount_cents",
    "taxes_amount_cents",
    "sub_total_including_taxes_amount_cents",
    "credit_notes_amount_cents",
    "prepaid_credit_amount_cents",
    "total_amount_cents",
    "payment_status",
)
_OF_FEE = ("amount_cents", "units", "events_count", "taxes_amount_cents", "precise_coupons_amount_cents")


def preview(api: Api, status: Status = 200, **body: Any) -> dict[str, Any]:
    """The previewed invoice of customer `c`, or the refusal."""
    answer: dict[str, Any] = api.post("/invoices/preview", {"customer": {"external_id": "c"}, **body}, status)
    found: dict[str, Any] = answer.get("invoice", answer)
    return found


def of(*external_ids: str, **more: Any) -> dict[str, Any]:
    """The part of the body that names running subscriptions, `s` by default."""
    return {"subscriptions": {"external_ids": list(external_ids) or ["s"], **more}}


def essence(invoice: dict[str, Any]) -> dict[str, Any]:
    """Totals, dates, fees, taxes and credits of an invoice, without what only stored ones have."""
    fees = [
        (
            fee["item"]["type"],
            fee["item"]["code"],
            fee["item"]["invoice_display_name"],
            fee["item"]["filters"],
            fee["item"]["grouped_by"],
            fee["external_subscription_id"],
            fee.get("from_date"),
            fee.get("to_date"),
            *(fee[name] for name in _OF_FEE),
        )
        for fee in invoice["fees"]
    ]
    taxes = [(tax["tax_code"], tax["fees_amount_cents"], tax["amount_cents"]) for tax in invoice["applied_taxes"]]
    credits = [
        (credit["item"]["type"], credit["item"]["code"], credit["amount_cents"]) for credit in invoice["credits"]
    ]
    return {**{name: invoice[name] for name in TOTALS}, "fees": fees, "taxes": taxes, "credits": credits}


async def contents(installation: Installation) -> dict[str, int]:
    """How many rows each table has had inserted, changed or deleted, and where each sequence stands."""
    found: dict[str, int] = {}
    async with installation.database.begin() as tx:
        for name in Base.metadata.tables:
            rows, newest = (await tx.execute(text(f"select count(*), max(xmin::text::bigint) from {name}"))).one()
            found[name], found[f"{name} newest"] = rows, newest or 0
        sequences = await tx.execute(text("select sequencename, coalesce(last_value, 0) as at from pg_sequences"))
        found.update({row.sequencename: row.at for row in sequences})
    return found
