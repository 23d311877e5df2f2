"""The tables that the demonstration prints at its end. It computes nothing that it could be told."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from tallystick.cli.demo.checks import Check
from tallystick.cli.demo.receiver import Receiver


def amount(cents: int, currency: str) -> str:
    """`EUR 1,234.56`; the story's currencies have two decimals."""
    return f"{currency} {Decimal(cents) / 100:,.2f}"


def show_invoices(console: Console, invoices: Sequence[Mapping[str, Any]]) -> None:
    """One line for each invoice."""
    table = Table(title="Invoices", title_justify="left")
    for name in ("number", "customer", "issued", "due"):
        table.add_column(name)
    for name in ("fees", "tax", "total"):
        table.add_column(name, justify="right")
    table.add_column("status")
    for invoice in invoices:
        currency = invoice["currency"]
        cents = (invoice[f"{part}_amount_cents"] for part in ("fees", "taxes", "total"))
        dates = (invoice["issuing_date"], invoice["payment_due_date"])
        sums = (amount(each, currency) for each in cents)
        table.add_row(invoice["number"], invoice["customer"]["name"], *dates, *sums, invoice["status"])
    console.print(table)


def show_lines(console: Console, invoice: Mapping[str, Any]) -> None:
    """The lines of one invoice; days are the customer's."""
    zone = invoice["customer"]["applicable_timezone"]
    table = Table(title=f"Lines of {invoice['number']}, {invoice['customer']['name']}", title_justify="left")
    table.add_column("item")
    table.add_column(f"period, {zone} time")
    for name in ("units", "events", "amount", "tax"):
        table.add_column(name, justify="right")
    for fee in invoice["fees"]:
        currency = invoice["currency"]
        table.add_row(
            fee["item"]["name"],
            f"{_day(fee['from_date'], zone)} to {_day(fee['to_date'], zone)}",
            f"{Decimal(str(fee['units'])).normalize():f}",
            str(fee["events_count"] or ""),
            amount(fee["amount_cents"], currency),
            f"{fee['taxes_rate']} %",
        )
    console.print(table)
    if invoice.get("file_url"):
        console.print(f"Its PDF: {invoice['file_url']}", soft_wrap=True)


def _day(instant: str, zone: str) -> str:
    return dt.datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).date().isoformat()


def show_webhooks(console: Console, receiver: Receiver) -> None:
    """How many webhooks of each type came, and how their signatures did."""
    received = receiver.received()
    table = Table(title="Webhooks received, signatures verified", title_justify="left")
    table.add_column("type")
    for name in ("jwt", "hmac", "refused"):
        table.add_column(name, justify="right")
    right = receiver.count()
    wrong = Counter(each.webhook_type for each in received if not each.verified)
    for webhook_type in sorted({each.webhook_type for each in received}):
        numbers = (right[webhook_type, "jwt"], right[webhook_type, "hmac"], wrong[webhook_type])
        table.add_row(webhook_type, *(str(number) for number in numbers))
    console.print(table)


def show_checks(console: Console, checks: Sequence[Check]) -> None:
    """What was expected, and whether it happened."""
    console.print("Expected, and what happened")
    for check in checks:
        found = "" if check.ok else f" (but {check.found} did)"
        console.print(f" {'[green]✓[/]' if check.ok else '[red]✗[/]'} {check.expected}{found}")


def show_door(console: Console, url: str, api_key: str) -> None:
    """Where to go from here."""
    console.print(f"\nURL      {url}   (interactive documentation: {url}/docs)", soft_wrap=True)
    console.print(f"API key  {api_key}\n")
    header = f"-H 'Authorization: Bearer {api_key}'"
    for line in (
        f"curl {header} '{url}/api/v1/invoices?per_page=3'",
        f"curl {header} '{url}/api/v1/customers/hudson-freight/current_usage?external_subscription_id=hudson-freight'",
        f"curl {header} -H 'Content-Type: application/json' -X PUT {url}/api/v1/test_clock"
        ' -d \'{"test_clock": {"now": "2026-05-01T06:00:00Z"}}\'',
    ):
        console.print(line, markup=False, soft_wrap=True)
