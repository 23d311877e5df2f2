"""Why an event counts, or which rule keeps it from counting: for every charge of the plan on its metric.

Buckets, groups and refusals are read from the selection that is billed (`rooms/metering/judged.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import or_, select

from tallystick.core.aggregate import text_value
from tallystick.core.contract import ChargeTerms, Contract, PriceFilter
from tallystick.core.metering import MeterWindow
from tallystick.core.money import ZERO
from tallystick.core.proration import sub_days
from tallystick.core.verdict import COUNTING, BucketCode, Code, JudgedEvent, bucket_code, judge
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.explain.chain import Period, chosen, period_of, rows_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import BillableMetric, Event, Fee
from tallystick.rooms.catalog import store as catalog
from tallystick.rooms.metering import judged


@dataclass(frozen=True, slots=True)
class ChargeVerdict:
    """What a charge makes of the event: `value` is what it read, `units` what that adds to the bucket and group.

    `fee` is the one that bills it, if it was made already.
    """

    charge: ChargeTerms
    code: Code
    value: str | None
    units: Decimal
    bucket: PriceFilter | None
    bucket_code: BucketCode
    undeclared: Mapping[str, str]
    grouped_by: Mapping[str, str | None]
    fee: Fee | None


@dataclass(frozen=True, slots=True)
class EventExplanation:
    """The whole answer; what is unknown is None, and then no charge is judged."""

    event: Event
    code: Code
    metric: BillableMetric | None = None
    contract: Contract | None = None
    period: Period | None = None
    charges: tuple[ChargeVerdict, ...] = ()


async def explain_event(tx: Tx, event: Event) -> EventExplanation:
    """Explain one event in a constant number of queries."""
    metric = await catalog.metric_by_code(tx, event.organization_id, event.code)
    if metric is None:
        return EventExplanation(event, Code.UNKNOWN_CODE)
    row = chosen(await rows_of(tx, event), event.timestamp, carried=metric.recurring)
    if isinstance(row, Code):
        return EventExplanation(event, row, metric)
    (contract,) = await load_contracts(tx, [row.id])
    assert contract.started_at is not None
    period = await period_of(tx, contract, max(event.timestamp, contract.started_at))
    charges = [charge for charge in contract.plan.charges if charge.metric.id == metric.id]
    if not charges:
        return EventExplanation(event, Code.NOT_ON_PLAN, metric, contract, period)
    windows = [_window(key, charge, contract, period) for key, charge in enumerate(charges)]
    found = await judged.of_event(tx, windows, event.id)
    fees = await _fees(tx, contract, charges, event)
    verdicts = tuple(_verdict(charge, found.get(key), event, period, fees) for key, charge in enumerate(charges))
    codes = [verdict.code for verdict in verdicts]
    code = next((one for one in codes if one in COUNTING), codes[0])
    return EventExplanation(event, code, metric, contract, period, verdicts)


def _window(key: int, charge: ChargeTerms, contract: Contract, period: Period) -> MeterWindow:
    return MeterWindow(
        key=key,
        organization_id=contract.organization_id,
        external_subscription_id=contract.external_id,
        charge=charge,
        start_at=period.window.start_at,
        end_at=period.window.end_at,
        timezone=period.timezone,
        duration_days=period.duration_days,
        window_days=sub_days(period.window, period.timezone, contract.upgraded_at),
    )


def _verdict(
    charge: ChargeTerms, found: JudgedEvent | None, event: Event, period: Period, fees: Sequence[Fee]
) -> ChargeVerdict:
    if found is None:  # weighted sums carry nothing older than the oldest subscription (metering.md §3.4)
        why, undeclared = bucket_code(charge, None, {})
        return ChargeVerdict(charge, Code.BEFORE_START, None, ZERO, None, why, undeclared, {}, None)
    code, units = judge(charge.metric.aggregation_type, found)
    if code in COUNTING and not charge.pay_in_advance and period.is_settled_for(event):
        code = Code.COUNTED_LATER if charge.metric.recurring else Code.PERIOD_INVOICED
    bucket = next((one for one in charge.filters if one.id == found.filter_id), None)
    texts = {key: text for key in event.properties if (text := text_value(event.properties, key)) is not None}
    why, undeclared = bucket_code(charge, bucket, texts)
    fee = _fee_of(charge, found, event, fees) if code in COUNTING and code is not Code.COUNTED_LATER else None
    return ChargeVerdict(charge, code, found.value, units, bucket, why, undeclared, found.grouped_by, fee)


async def _fees(tx: Tx, contract: Contract, charges: Sequence[ChargeTerms], event: Event) -> list[Fee]:
    """Live fees of these charges for the event itself or for the time it lies in."""
    around = (Fee.period_from_at <= event.timestamp) & (Fee.period_to_at > event.timestamp)
    statement = select(Fee).where(
        Fee.subscription_id == contract.subscription_id,
        Fee.charge_id.in_([charge.id for charge in charges]),
        Fee.purpose.in_(("periodic", "event")),
        Fee.live,
        Fee.deleted_at.is_(None),
        or_(Fee.event_transaction_id == event.transaction_id, around & Fee.event_transaction_id.is_(None)),
    )
    return list(await tx.scalars(statement.order_by(Fee.created_at, Fee.id)))


def _fee_of(charge: ChargeTerms, found: JudgedEvent, event: Event, fees: Sequence[Fee]) -> Fee | None:
    transaction_id = event.transaction_id if charge.pay_in_advance else None
    wanted: tuple[uuid.UUID, uuid.UUID | None, str | None] = (charge.id, found.filter_id, transaction_id)
    return next(
        (
            fee
            for fee in fees
            if (fee.charge_id, fee.charge_filter_id, fee.event_transaction_id) == wanted
            and fee.grouped_by == found.grouped_by
        ),
        None,
    )
