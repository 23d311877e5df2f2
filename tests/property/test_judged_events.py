"""Explanations and parts agree with what is billed: the units of single events, or of parts, are those of the usage."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings

from tallystick.core.aggregate import Event
from tallystick.core.contract import ChargeTerms
from tallystick.core.metering import MeterWindow
from tallystick.core.money import total as sum_of
from tallystick.core.verdict import judge
from tallystick.ground.db import Database
from tallystick.rooms.metering import breakdowns, judged, measure
from tallystick.rooms.metering.judged import Part
from tests.property.test_metering_oracle import cases, undone
from tests.support import metering as build

#: what adds up event by event, and part by part
ADDITIVE = ("count_agg", "sum_agg")


def raw(charge: ChargeTerms) -> ChargeTerms:
    """The charge with units as they are added up."""
    metric = replace(charge.metric, rounding_function=None, rounding_precision=None)
    keys = [{"value": "tier"}, {"value": "operation_type"}]
    return replace(
        charge, metric=metric, prorated=False, properties={**charge.properties, "presentation_group_keys": keys}
    )


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
async def test_units_of_events_add_up_to_the_usage(database: Database, case: tuple[MeterWindow, list[Event]]) -> None:
    drawn, events = case
    window = replace(drawn, charge=raw(drawn.charge))
    kind = window.charge.metric.aggregation_type
    async with undone(database) as tx:
        await build.store_events(tx, window, events)
        for bucket in await measure.meter(tx, [window]):
            part = Part(bucket.filter_id, bucket.grouped_by)
            total, found = await judged.of_part(tx, window, part, limit=100, offset=0)
            units = [judge(kind, one)[1] for one in found]
            assert total == len(found)
            if kind in (*ADDITIVE, "latest_agg", "unique_count_agg"):
                assert sum_of(units) == bucket.usage.full_units
            if kind == "max_agg":
                assert bucket.usage.full_units in (units or [Decimal(0)])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
async def test_units_of_parts_add_up_to_the_usage(database: Database, case: tuple[MeterWindow, list[Event]]) -> None:
    drawn, events = case
    window = replace(drawn, charge=raw(drawn.charge))
    kind = window.charge.metric.aggregation_type
    async with undone(database) as tx:
        await build.store_events(tx, window, events)
        found = await breakdowns.break_down(tx, [window])
        for bucket in await measure.meter(tx, [window]):
            own = [one for one in found if (one.filter_id, one.grouped_by) == (bucket.filter_id, bucket.grouped_by)]
            if own and kind in (*ADDITIVE, "latest_agg"):
                assert sum_of(one.units for one in own) == bucket.usage.full_units
            assert all(set(one.presentation_by) <= {"tier", "operation_type"} for one in own)
