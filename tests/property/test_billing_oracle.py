"""Fees of whole billing runs against the oracle: its figures, rated by the pure core, are what stands in the database.

Every chunk is one month of subscriptions with random charges: a plan of its own each, customers of several time zones.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tallystick.core.aggregate import meter
from tallystick.core.metering import MeteredBucket, MeterWindow
from tallystick.core.money import total
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.rating import fee_amounts, tariff, true_up
from tallystick.flows.billing.rate import properties_of
from tallystick.flows.billing.run import bill
from tallystick.ground.db import Database, Tx
from tallystick.ground.tables import BillableMetric, Charge, ChargeFilter, Fee, Plan, Subscription
from tests.property.test_metering_oracle import undone
from tests.support import metering as build
from tests.support import subscriptions
from tests.support.api import ADMIN_TOKEN, Api
from tests.support.random_usage import MONTHS, ZONES, Case, case
from tests.support.server import Running

#: 60 runs of 40 subscriptions
CHUNKS, SIZE = 60, 40
#: a failure names its case: nothing to gain from running the chunk again and again
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SEEDS = st.lists(st.integers(0, 2**40), min_size=SIZE, max_size=SIZE, unique=True)
CURRENCIES = ("EUR", "USD", "JPY", "KWD")
#: (filter, group, whether it is a true-up) -> cents, exact cents, units, unit price, events, level
Line = tuple[int, Decimal, Decimal, Decimal, int | None, Decimal | None]
Lines = dict[tuple[uuid.UUID | None, str, bool], Line]


@dataclass(frozen=True, slots=True)
class Sold:
    """A case as a subscription: its row, its currency and what it is billed at least."""

    case: Case
    subscription_id: uuid.UUID
    started_at: dt.datetime
    currency: str
    min_amount_cents: int


@pytest.fixture(scope="module")
def customers(running: Running) -> Iterator[tuple[uuid.UUID, Mapping[str, uuid.UUID]]]:
    """An organization, and a customer of it in each time zone."""
    api = Api(running.url, ADMIN_TOKEN)
    rows = {zone: subscriptions.customer(api, zone.replace("/", "-"), timezone=zone) for zone in ZONES}
    yield uuid.UUID(api.organization["lago_id"]), {zone: uuid.UUID(row["lago_id"]) for zone, row in rows.items()}
    api.http.close()


@settings(max_examples=CHUNKS, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(SEEDS, st.sampled_from(MONTHS))
async def test_fees_of_a_month(
    database: Database,
    customers: tuple[uuid.UUID, Mapping[str, uuid.UUID]],
    seeds: list[int],
    month: str,
) -> None:
    organization_id, customer_ids = customers
    sold = [_sold(organization_id, case(seed, number), seed, month) for number, seed in enumerate(seeds)]
    async with undone(database) as tx:
        await _store(tx, sold, customer_ids)
        await bill(tx, [Occasion(one.subscription_id, Reason.PERIODIC, one.case.window.end_at) for one in sold])
        found = await _fees(tx, sold)
    for one in sold:
        assert found.get(one.subscription_id, {}) == _expected(one), one


def _sold(organization_id: uuid.UUID, drawn: Case, seed: int, month: str) -> Sold:
    """The case over a calendar month in its zone, from its first day or a later start on."""
    rng, old = Random(seed), drawn.window
    whole = build.month(month, old.charge, old.timezone)
    started_at = whole.start_at + rng.choice([dt.timedelta(-40), dt.timedelta(0), dt.timedelta(9.3)])
    minimum = rng.choice([0, 0, 1000])
    metric = replace(old.charge.metric, code=f"metric-{old.key}", id=uuid.uuid4())
    window = build.window(
        replace(old.charge, metric=metric, min_amount_cents=minimum, accepts_target_wallet=False),
        key=old.key,
        organization_id=organization_id,
        external_subscription_id=old.external_subscription_id,
        start_at=max(whole.start_at, started_at),
        end_at=whole.end_at,
        timezone=old.timezone,
        duration_days=whole.duration_days,
    )
    shift = window.start_at - old.start_at
    events = [replace(event, timestamp=event.timestamp + shift) for event in drawn.events]
    moved = Case(window, events, started_at)
    return Sold(moved, uuid.uuid4(), started_at, rng.choice(CURRENCIES), minimum)


def _expected(of: Sold) -> Lines:
    """Fees of the oracle's figures: those that say something, and what is missing to the minimum."""
    window, charge = of.case.window, of.case.window.charge
    rated = [(bucket, _line(of, bucket)) for bucket in meter(window, of.case.events, of.started_at)]
    lines = {_key(bucket): line for bucket, line in rated}
    used, exact = sum(line[0] for line in lines.values()), total(line[1] for line in lines.values())
    missing = true_up(of.min_amount_cents, window.window_days, window.duration_days, used, exact)
    parent = _key(next(bucket for bucket, _ in rated if bucket.filter_id is None))
    kept = {key: line for key, line in lines.items() if line[0] or line[2] or line[4] or (missing and key == parent)}
    if of.min_amount_cents and missing is not None:
        unit = fee_amounts(Decimal(0), missing.precise_amount_cents / _subunit(of), of.currency).precise_unit_amount
        one = Decimal(1)
        kept[None, parent[1], True] = (missing.amount_cents, missing.precise_amount_cents, one, unit, 0, one)
    assert charge.invoiceable
    return kept


def _line(of: Sold, bucket: MeteredBucket) -> Line:
    charge = of.case.window.charge
    properties = properties_of(charge, bucket.filter_id)
    price = tariff(charge.model, properties, prorated=charge.prorated, currency=of.currency).price(bucket.usage)
    amounts = fee_amounts(price.amount, price.unit_amount, of.currency)
    level = bucket.usage.total_aggregated_units
    return (
        amounts.amount_cents,
        amounts.precise_amount_cents,
        price.units,
        amounts.precise_unit_amount,
        bucket.usage.events_count,
        price.units if level is None else level,
    )


def _key(bucket: MeteredBucket) -> tuple[uuid.UUID | None, str, bool]:
    return bucket.filter_id, _group(bucket.grouped_by), False


def _group(values: Mapping[str, Any]) -> str:
    return str(sorted(values.items()))


def _subunit(of: Sold) -> int:
    return {"JPY": 1, "KWD": 1000}.get(of.currency, 100)


async def _fees(tx: Tx, sold: Sequence[Sold]) -> dict[uuid.UUID, Lines]:
    ids = [one.subscription_id for one in sold]
    found: dict[uuid.UUID, Lines] = {}
    for row in await tx.scalars(select(Fee).where(Fee.subscription_id.in_(ids), Fee.fee_type == "charge")):
        assert row.subscription_id is not None
        key = row.charge_filter_id, _group(row.grouped_by), row.true_up_parent_fee_id is not None
        found.setdefault(row.subscription_id, {})[key] = (
            row.amount_cents,
            row.precise_amount_cents,
            row.units,
            row.precise_unit_amount,
            row.events_count,
            row.total_aggregated_units,
        )
    return found


async def _store(tx: Tx, sold: Sequence[Sold], customer_ids: Mapping[str, uuid.UUID]) -> None:
    """Metrics, plans, charges, filters, subscriptions and events."""
    plans = {one.subscription_id: _plan(one) for one in sold}
    tx.add_all([_metric(one) for one in sold])
    tx.add_all(plans.values())
    await tx.flush()
    tx.add_all([_charge(one, plans[one.subscription_id]) for one in sold])
    tx.add_all([_subscription(one, plans[one.subscription_id], customer_ids) for one in sold])
    await tx.flush()
    tx.add_all([row for one in sold for row in _filters(one)])
    await tx.flush()
    await build.store_rows(tx, [row for one in sold for row in build.event_rows(one.case.window, one.case.events)])


def _born(of: MeterWindow) -> dict[str, Any]:
    began = build.at("2020-01-01")
    return {"organization_id": of.organization_id, "created_at": began, "updated_at": began}


def _metric(of: Sold) -> BillableMetric:
    metric = of.case.window.charge.metric
    return BillableMetric(
        id=metric.id,
        code=metric.code,
        name=metric.name,
        aggregation_type=metric.aggregation_type,
        field_name=metric.field_name,
        recurring=metric.recurring,
        rounding_function=metric.rounding_function,
        rounding_precision=metric.rounding_precision,
        filters={},
        **_born(of.case.window),
    )


def _plan(of: Sold) -> Plan:
    return Plan(
        id=uuid.uuid4(),
        code=f"plan-{of.case.window.key}",
        name="Plan",
        interval="monthly",
        amount_cents=0,
        amount_currency=of.currency,
        **_born(of.case.window),
    )


def _charge(of: Sold, plan: Plan) -> Charge:
    charge = of.case.window.charge
    return Charge(
        id=charge.id,
        plan_id=plan.id,
        billable_metric_id=charge.metric.id,
        code=charge.code,
        charge_model=charge.model.value,
        prorated=charge.prorated,
        min_amount_cents=of.min_amount_cents,
        properties=dict(charge.properties),
        **_born(of.case.window),
    )


def _filters(of: Sold) -> Iterator[ChargeFilter]:
    charge = of.case.window.charge
    for position, one in enumerate(charge.filters):
        yield ChargeFilter(
            id=one.id,
            charge_id=charge.id,
            values={key: list(texts) for key, texts in one.values.items()},
            properties=dict(one.properties),
            position=position,
            **_born(of.case.window),
        )


def _subscription(of: Sold, plan: Plan, customer_ids: Mapping[str, uuid.UUID]) -> Subscription:
    window = of.case.window
    return Subscription(
        id=of.subscription_id,
        customer_id=customer_ids[window.timezone],
        plan_id=plan.id,
        external_id=window.external_subscription_id,
        status="active",
        billing_time="calendar",
        subscription_at=of.started_at,
        started_at=of.started_at,
        **_born(window),
    )
