"""What must be true after the demonstration's month. Not how it is shown (report.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.cli.demo import story
from tallystick.cli.demo.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, and what was found."""

    expected: str
    found: str
    ok: bool


def check_all(
    invoices: Sequence[Mapping[str, Any]], units: Mapping[tuple[str, str], Decimal], receiver: Receiver
) -> list[Check]:
    """All expectations of the story."""
    return [*_of_invoices(invoices), _of_units(invoices, units), *_of_webhooks(receiver)]


def _of_invoices(invoices: Sequence[Mapping[str, Any]]) -> list[Check]:
    finalized = sum(invoice["status"] == "finalized" for invoice in invoices)
    taxed = sum(invoice["taxes_amount_cents"] > 0 for invoice in invoices)
    balanced = sum(
        invoice["fees_amount_cents"] + invoice["taxes_amount_cents"]
        == sum(fee["amount_cents"] for fee in invoice["fees"]) + invoice["taxes_amount_cents"]
        == invoice["total_amount_cents"]
        for invoice in invoices
    )
    return [
        _counted("invoices are finalized", finalized, story.INVOICES),
        _counted("invoices carry a tax", taxed, story.INVOICES),
        _counted("invoices add up: fees and taxes are the total", balanced, story.INVOICES),
    ]


def _of_units(invoices: Sequence[Mapping[str, Any]], units: Mapping[tuple[str, str], Decimal]) -> Check:
    billed = {
        (fee["external_subscription_id"], fee["item"]["code"]): Decimal(str(fee["units"]))
        for invoice in invoices
        for fee in invoice["fees"]
        if fee["item"]["type"] == "charge"
    }
    right = sum(billed.get(key) == number for key, number in units.items())
    return _counted("charges have exactly the units of the events that were sent", right, len(units))


def _of_webhooks(receiver: Receiver) -> list[Check]:
    received, counts = receiver.received(), receiver.count()
    checks = [_counted("signatures of webhooks are right", sum(each.verified for each in received), len(received))]
    for webhook_type, number in (
        ("customer.created", len(story.CUSTOMERS)),
        ("subscription.started", len(story.CUSTOMERS)),
        ("invoice.created", story.INVOICES),
        ("invoice.generated", story.INVOICES),
    ):
        for algorithm in ("jwt", "hmac"):
            checks.append(
                _counted(f"{webhook_type} webhooks came, {algorithm}", counts[webhook_type, algorithm], number)
            )
    return checks


def _counted(expected: str, found: int, wanted: int) -> Check:
    return Check(f"{wanted} {expected}", str(found), found == wanted and wanted > 0)
