"""Thousands of subscriptions, measured by the dozen: SQL and oracle find the same usage, at the same price.

The chunks are those that a billing run measures; each holds subscriptions of several organizations side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallystick.core.aggregate import meter
from tallystick.core.metering import MeteredBucket
from tallystick.core.money import total
from tallystick.core.rating import Price, tariff
from tallystick.flows.billing.rate import properties_of
from tallystick.ground.db import Database, Tx
from tallystick.rooms.metering import measure
from tests.property.test_metering_oracle import undone
from tests.support import metering as build
from tests.support.random_usage import Case, case

#: 125 chunks of 40 subscriptions are 5,000 cases
CHUNKS, SIZE = 125, 40
#: a failure names its case: nothing to gain from running the chunk again and again
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SEEDS = st.lists(st.integers(0, 2**40), min_size=SIZE, max_size=SIZE, unique=True)


@settings(max_examples=CHUNKS, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(SEEDS)
async def test_chunks_of_subscriptions(database: Database, seeds: list[int]) -> None:
    cases = [case(seed, number) for number, seed in enumerate(seeds)]
    async with undone(database) as tx:
        await _store(tx, cases)
        found = await measure.meter(tx, [one.window for one in cases])
    expected = [bucket for one in cases for bucket in meter(one.window, one.events, one.first_started_at)]
    assert found == expected
    prices = [_price(cases[bucket.key], bucket) for bucket in found]
    for bucket, price in zip(found, prices, strict=True):
        assert price.amount >= 0
        assert total(step.amount for step in price.trace) == price.amount, cases[bucket.key]


def _price(of: Case, bucket: MeteredBucket) -> Price:
    """What the usage costs."""
    charge = of.window.charge
    properties = properties_of(charge, bucket.filter_id)
    return tariff(charge.model, properties, prorated=charge.prorated, currency="EUR").price(bucket.usage)


async def _store(tx: Tx, cases: Sequence[Case]) -> None:
    """Events of all cases, the same ones under another code, and the rows of those whose age matters."""
    rows = []
    for one in cases:
        strangers = [replace(event, id=event.id + 10**9) for event in one.events[:3]]
        rows += build.event_rows(one.window, one.events)
        rows += build.event_rows(one.window, strangers, code="another")
    await build.store_rows(tx, rows)
    started = [(one.window, one.first_started_at) for one in cases if one.first_started_at is not None]
    await tx.execute(text("set local session_replication_role = replica"))  # without customers and plans
    tx.add_all([build.subscription_row(window, started_at) for window, started_at in started])
    await tx.flush()
