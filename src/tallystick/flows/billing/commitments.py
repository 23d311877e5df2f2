"""The fees of minimum commitments: what the fees of a period left open (subscriptions.md §4.7, rating.md §17).

Earlier fees of the period are asked for all bills at once; the arithmetic is the core's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.core.commitments import (
    DEFAULT_NAME,
    Reconciled,
    Shortfall,
    reconciled_at_end,
    reconciled_at_tick,
    shortfall,
)
from tallystick.core.contract import CommitmentTerms
from tallystick.core.explain import commitment_trace
from tallystick.core.invoice import FeeDraft, FeeType
from tallystick.core.money import EXACT, ONE, from_cents, precise, total
from tallystick.core.occasion import Reason
from tallystick.core.taxes import winning
from tallystick.flows.billing.due import Bill
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.rooms.invoices import billed
from tallystick.rooms.invoices.billed import Billed, Span


@dataclass(frozen=True, slots=True)
class _Due:
    """A bill that reconciles a period with its plan's commitment."""

    place: int
    bill: Bill
    commitment: CommitmentTerms
    period: Reconciled


async def commitment_fees(
    tx: Tx, bills: Sequence[Bill], fees: Sequence[Sequence[FeeDraft]], draft_ids: Sequence[UUID | None]
) -> list[FeeDraft | None]:
    """For each bill, with its other fees, the fee that fills its commitment; None where nothing is missing."""
    dues = [
        _Due(place, bill, commitment, period)
        for place, bill in enumerate(bills)
        if (commitment := bill.contract.plan.commitment) is not None and (period := reconciled(bill)) is not None
    ]
    made: list[FeeDraft | None] = [None] * len(bills)
    if not dues:
        return made
    spans = [Span(due.bill.contract.subscription_id, due.period.window, draft_ids[due.place]) for due in dues]
    for due, earlier in zip(dues, await billed.of_periods(tx, spans), strict=True):
        paid = _with_own(earlier, fees[due.place], due.period)
        missing = shortfall(due.commitment.amount_cents, due.period, paid.amount_cents, paid.precise_amount_cents)
        made[due.place] = _fee(due, missing, paid) if missing is not None else None
    return made


def reconciled(bill: Bill) -> Reconciled | None:
    """The period whose commitment this bill reconciles (the table of subscriptions.md §4.7)."""
    contract, occasion = bill.contract, bill.occasion
    first_fee_at = contract.billed.first_plan_fee_at
    if contract.plan.pay_in_advance and (first_fee_at is None or first_fee_at >= occasion.at):
        return None  # nothing was billed before
    assert contract.started_at is not None
    schedule, started_at = contract.schedule, contract.started_at
    if occasion.reason is Reason.PERIODIC:
        return reconciled_at_tick(schedule, started_at, bill.billed_on)
    if occasion.reason is not Reason.TERMINATING:
        return None
    if contract.is_downgraded:
        return reconciled_at_tick(schedule, started_at, bill.billed_on)
    assert contract.terminated_at is not None
    if contract.billed.reaches(schedule.tick_at(schedule.containing(bill.billed_on).end_on)):
        return None  # in the customer's former time zone the period was over, and reconciled
    already = contract.billed.reaches(schedule.tick_at(bill.billed_on))
    return reconciled_at_end(schedule, started_at, contract.terminated_at, already)


def _with_own(earlier: Billed, fees: Sequence[FeeDraft], period: Reconciled) -> Billed:
    """Gross fees of the period, those of this very bill included; its fees for the next period do not count."""
    window = period.window
    own = [
        fee for fee in fees if fee.period_from_at is not None and window.start_at <= fee.period_from_at < window.end_at
    ]
    return Billed(
        earlier.amount_cents + sum(fee.amount_cents for fee in own),
        EXACT.add(earlier.precise_amount_cents, total(fee.precise_amount_cents for fee in own)),
    )


def _fee(due: _Due, missing: Shortfall, paid: Billed) -> FeeDraft:
    contract, commitment, window = due.bill.contract, due.commitment, due.period.window
    currency = contract.plan.currency
    return FeeDraft(
        id=new_id(),
        subscription_id=contract.subscription_id,
        fee_type=FeeType.COMMITMENT,
        currency=currency,
        amount_cents=missing.amount_cents,
        precise_amount_cents=missing.precise_amount_cents,
        units=ONE,
        unit_amount=precise(from_cents(missing.amount_cents, currency)),
        taxes=winning(commitment.taxes, contract.plan.taxes, contract.customer.taxes),
        invoice_display_name=commitment.invoice_display_name or DEFAULT_NAME,
        period_from_at=window.start_at,
        period_to_at=window.end_at,
        trace=commitment_trace(commitment.amount_cents, due.period, paid.amount_cents, missing),
    )
