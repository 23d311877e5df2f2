"""The fees of events whose charges are paid in advance: steps asked of metering, prices of the core. Stores nothing.

Estimates and billing make the same fees with it (metering.md §6, §8.1).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.aggregate import bucket_of, displayed_keys, group_keys, group_of, presented_values
from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.explain import event_trace, pricing_unit_trace
from tallystick.core.in_advance import Step, prorated_raise, usages_of
from tallystick.core.invoice import FeeBreakdown, FeeDraft, FeeType, Purpose
from tallystick.core.metering import MeterWindow
from tallystick.core.pricing_units import charge_amounts
from tallystick.core.proration import sub_days
from tallystick.core.rating import price_of_event
from tallystick.core.taxes import winning
from tallystick.core.windows import Window, Windows
from tallystick.flows.billing.due import running_windows
from tallystick.flows.billing.rate import properties_of
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Event
from tallystick.rooms.metering import in_advance

_RESOLUTION = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sale:
    """An event of a charge paid in advance; its fee is made at `at`. `windows` are of the period of the event."""

    event: Event
    contract: Contract
    charge: ChargeTerms
    windows: Windows
    at: dt.datetime

    @property
    def period(self) -> Window:
        """The usage period that the event lies in."""
        assert self.windows.charges is not None
        return self.windows.charges

    @property
    def filter_id(self) -> uuid.UUID | None:
        """The bucket of the event."""
        bucket = bucket_of(self.charge, self.event.properties)
        return bucket.id if bucket else None


def period_of(contract: Contract, event: Event) -> Windows:
    """The windows of the period that contains the event, whenever it arrived (metering.md §1.9)."""
    return running_windows(contract, event.timestamp)


async def event_fees(tx: Tx, sales: Sequence[Sale]) -> list[FeeDraft]:
    """The fee of each sale, in order; zero ones too."""
    places: dict[tuple[uuid.UUID, uuid.UUID, dt.datetime], int] = {}
    asked: list[list[Sale]] = []
    for sale in sales:
        key = (sale.contract.subscription_id, sale.charge.id, sale.period.start_at)
        place = places.setdefault(key, len(asked))
        if place == len(asked):
            asked.append([])
        asked[place].append(sale)
    windows = [_window(place, group) for place, group in enumerate(asked)]
    steps = await in_advance.steps(tx, windows, [sale.event.id for sale in sales]) if windows else {}
    made = {
        (place, sale.event.id): _fee(sale, steps.get((place, sale.event.id)) or _passed_over(sale))
        for place, group in enumerate(asked)
        for sale in group
    }
    return [
        made[places[sale.contract.subscription_id, sale.charge.id, sale.period.start_at], sale.event.id]
        for sale in sales
    ]


def _window(key: int, sales: Sequence[Sale]) -> MeterWindow:
    """From the start of the period to its last sale."""
    first, tz = sales[0], sales[0].contract.customer.timezone
    return MeterWindow(
        key=key,
        organization_id=first.contract.organization_id,
        external_subscription_id=first.contract.external_id,
        charge=first.charge,
        start_at=first.period.start_at,
        end_at=max(sale.event.timestamp for sale in sales) + _RESOLUTION,
        timezone=tz,
        duration_days=first.windows.charges_duration_days,
        window_days=sub_days(first.period, tz),
    )


def _passed_over(sale: Sale) -> Step:
    """An event that the aggregation does not select adds nothing to its bucket and group."""
    bucket = bucket_of(sale.charge, sale.event.properties)
    keys = group_keys(sale.charge, bucket)
    group = dict(zip(keys, group_of(keys, sale.event.properties), strict=True))
    return Step(bucket.id if bucket else None, group)


def _fee(sale: Sale, step: Step) -> FeeDraft:
    contract, charge, period = sale.contract, sale.charge, sale.period
    plan, tz = contract.plan, contract.customer.timezone
    properties = properties_of(charge, step.filter_id)
    with_usage, without_usage = usages_of(charge, properties, step)
    raised = step.raised
    if charge.prorated:
        duration = sale.windows.charges_duration_days
        raised = prorated_raise(raised, sale.event.timestamp, period.last_at, tz, duration)
    price = price_of_event(
        charge.model,
        properties,
        with_usage,
        without_usage,
        raised,
        step.displayed_units,
        step.is_first,
        currency=plan.currency,
        prorated=charge.prorated,
        in_pricing_units=charge.pricing_unit is not None,
    )
    priced = charge_amounts(charge.pricing_unit, price.delta, price.unit_amount, plan.currency)
    amounts = priced.money
    return FeeDraft(
        id=new_id(),
        subscription_id=contract.subscription_id,
        fee_type=FeeType.CHARGE,
        purpose=Purpose.EVENT,
        currency=plan.currency,
        amount_cents=amounts.amount_cents,
        precise_amount_cents=amounts.precise_amount_cents,
        units=price.units,
        unit_amount=amounts.precise_unit_amount,
        taxes=winning(charge.taxes, plan.taxes, contract.customer.taxes),
        charge_id=charge.id,
        filter_id=step.filter_id,
        grouped_by=step.grouped_by,
        total_aggregated_units=price.units,
        events_count=1,
        details=price.details,
        pay_in_advance=True,
        period_from_at=period.start_at,
        period_to_at=period.end_at,
        event_transaction_id=sale.event.transaction_id,
        breakdowns=_breakdowns(sale, step),
        in_units=priced.in_units,
        trace={**event_trace(charge, step, price, amounts, period), **pricing_unit_trace(priced.in_units)},
    )


def _breakdowns(sale: Sale, step: Step) -> tuple[FeeBreakdown, ...]:
    """One part: the event's values of the presentation keys, with its own units (metering.md §4.4)."""
    charge = sale.charge
    values = presented_values(charge, bucket_of(charge, sale.event.properties), sale.event.properties)
    if not values:
        return ()
    units = step.raised if charge.metric.aggregation_type == "unique_count_agg" else step.applied
    return (FeeBreakdown(values, units, tuple(key for key in displayed_keys(charge) if key in values)),)
