"""Billable metrics over HTTP (metering.md §2, api.md §15.8)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from tallystick.ground.installation import Installation
from tallystick.ground.tables import OutboxMessage, WebhookEndpoint, WebhookMessage
from tests.support.api import Api
from tests.support.catalog import charge, metric, plan, refused

KEYS = {
    *("lago_id", "name", "code", "description", "aggregation_type", "weighted_interval", "recurring"),
    *("rounding_function", "rounding_precision", "created_at", "field_name", "expression", "filters"),
}
UNREADABLE_TIMESTAMPS: list[Any] = ["2022-04-29T13:59:51Z", "NaN", "1e999999", "", [], {}, True]
COUNTERS = {"active_subscriptions_count", "draft_invoices_count", "plans_count"}


def test_shape(api: Api) -> None:
    made = metric(api, "m", "sum_agg", field_name="gb", filters=[{"key": "z", "values": ["b", "a", "a"]}])
    assert set(made) == KEYS | COUNTERS
    assert made["filters"] == [{"key": "z", "values": ["a", "b"]}]
    assert (made["recurring"], made["rounding_precision"], made["plans_count"]) == (False, None, 0)
    shown = api.get("/billable_metrics/m")["billable_metric"]
    assert set(shown) == KEYS
    assert shown == {key: made[key] for key in KEYS}
    listed = api.get("/billable_metrics")
    assert listed["billable_metrics"] == [made]
    assert listed["meta"]["total_count"] == 1


def test_count_has_no_field(api: Api) -> None:
    assert metric(api, field_name="x")["field_name"] is None


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"name": " ", "code": ""}, {"name": ["value_is_mandatory"], "code": ["value_is_mandatory"]}),
        ({"aggregation_type": "avg_agg"}, {"aggregation_type": ["value_is_invalid"]}),
        ({"aggregation_type": None}, {"aggregation_type": ["value_is_invalid"]}),
        ({"field_name": None}, {"field_name": ["value_is_mandatory"]}),
        *(
            (
                {"aggregation_type": kind, "recurring": True},
                {"recurring": ["not_compatible_with_aggregation_type"]},
            )
            for kind in ("count_agg", "max_agg", "latest_agg")
        ),
        ({"aggregation_type": "weighted_sum_agg"}, {"weighted_interval": ["value_is_invalid"]}),
        ({"weighted_interval": "hours"}, {"weighted_interval": ["value_is_invalid"]}),
        ({"rounding_function": "cut"}, {"rounding_function": ["value_is_invalid"]}),
        ({"rounding_precision": "x"}, {"rounding_precision": ["value_is_invalid"]}),
        ({"rounding_precision": 10**12}, {"rounding_precision": ["value_is_out_of_range"]}),
        ({"expression": "1+"}, {"expression": ["invalid_expression"]}),
        ({"filters": [{"key": "a", "values": []}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"key": "a", "values": ["b", ""]}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"key": "a", "values": "b"}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"key": "a", "values": [{}]}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"values": ["b"]}]}, {"key": ["value_is_mandatory"]}),
        ({"filters": [1]}, {"key": ["value_is_mandatory"], "values": ["value_is_mandatory"]}),
        ({"code": "c" * 300}, {"code": ["value_is_too_long"]}),
    ],
)
def test_validation(api: Api, fields: dict[str, Any], details: dict[str, list[str]]) -> None:
    body = {"name": "m", "code": "m", "aggregation_type": "sum_agg", "field_name": "gb", **fields}
    assert refused(api, "POST", "/billable_metrics", {"billable_metric": body}) == details


def test_code_is_unique_among_live_metrics(api: Api) -> None:
    metric(api)
    body = {"name": "m", "code": "m", "aggregation_type": "count_agg"}
    assert refused(api, "POST", "/billable_metrics", {"billable_metric": body}) == {"code": ["value_already_exist"]}
    metric(api, "other")
    renamed = {"billable_metric": {"code": "m"}}
    assert refused(api, "PUT", "/billable_metrics/other", renamed) == {"code": ["value_already_exist"]}
    assert api.delete("/billable_metrics/m")["billable_metric"]["code"] == "m"
    assert api.get("/billable_metrics/m", 404)["code"] == "billable_metric_not_found"
    assert api.delete("/billable_metrics/m", 404)["code"] == "billable_metric_not_found"
    metric(api)


def test_custom_aggregation_is_refused(api: Api) -> None:
    body = {"name": "m", "code": "m", "aggregation_type": "custom_agg"}
    assert api.post("/billable_metrics", {"billable_metric": body}, 403)["code"] == "feature_unavailable"
    metric(api)
    body = {"aggregation_type": "custom_agg"}
    assert api.put("/billable_metrics/m", {"billable_metric": body}, 403)["code"] == "feature_unavailable"


def test_nulls_in_a_create_are_absent(api: Api) -> None:
    body = {"name": "m", "code": "m", "aggregation_type": "count_agg", "recurring": None, "filters": None}
    assert api.post("/billable_metrics", {"billable_metric": body})["billable_metric"]["recurring"] is False


def test_an_unpriced_metric_changes_completely(api: Api) -> None:
    metric(api, "m", "sum_agg", field_name="gb", description="d", rounding_function="round", rounding_precision=2)
    body = {"code": "n", "aggregation_type": "unique_count_agg", "field_name": "user", "recurring": True}
    made = api.put("/billable_metrics/m", {"billable_metric": {**body, "description": None}})["billable_metric"]
    assert {key: made[key] for key in body} == body
    assert made["description"] is None
    assert made["rounding_precision"] == 2
    assert refused(api, "PUT", "/billable_metrics/n", {"billable_metric": {"name": None}})


def test_a_priced_metric_keeps_how_it_counts(api: Api) -> None:
    made = metric(api, "m", "sum_agg", field_name="gb")
    plan(api, charges=[charge(made)])
    body = {"name": "new", "description": "d", "code": "n", "aggregation_type": "max_agg", "field_name": "x"}
    changed = api.put("/billable_metrics/m", {"billable_metric": {**body, "expression": "1+"}})["billable_metric"]
    assert changed == {**made, "name": "new", "description": "d"}


def test_removed_filter_values_are_cut_out_of_charges(api: Api) -> None:
    made = metric(api, filters=[{"key": "region", "values": ["eu", "us"]}, {"key": "tier", "values": ["free", "pro"]}])
    every = ["__ALL_FILTER_VALUES__"]
    filters = [
        {"values": {"region": ["eu", "us"], "tier": ["pro"]}, "properties": {"amount": "1"}},
        {"values": {"region": ["us"]}, "properties": {"amount": "2"}},
        {"values": {"tier": every}, "properties": {"amount": "3"}},
    ]
    plan(api, charges=[charge(made, filters=filters)])
    api.put("/billable_metrics/m", {"billable_metric": {"name": "kept"}})
    assert len(api.get("/plans/p")["plan"]["charges"][0]["filters"]) == 3
    api.put("/billable_metrics/m", {"billable_metric": {"filters": [{"key": "region", "values": ["eu"]}]}})
    left = api.get("/plans/p")["plan"]["charges"][0]["filters"]
    assert [one["values"] for one in left] == [{"region": ["eu"]}]
    api.put("/billable_metrics/m", {"billable_metric": {"filters": []}})
    assert api.get("/plans/p")["plan"]["charges"][0]["filters"] == []


def test_deletion_takes_the_charges_along(api: Api) -> None:
    plan(api, charges=[charge(metric(api)), charge(metric(api, "other"))])
    api.delete("/billable_metrics/m")
    assert [one["code"] for one in api.get("/plans/p")["plan"]["charges"]] == ["other"]
    assert api.get("/plans/p/charges/m", 404)["code"] == "charge_not_found"


async def test_messages(api: Api, installation: Installation) -> None:
    organization_id = uuid.UUID(api.organization["lago_id"])
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    endpoint = WebhookEndpoint(
        id=uuid.uuid4(),
        organization_id=organization_id,
        webhook_url="http://127.0.0.1:1/",
        secret="s",
        created_at=start,
        updated_at=start,
    )
    async with installation.database.begin() as tx:
        tx.add(endpoint)
    metric(api)
    api.put("/billable_metrics/m", {"billable_metric": {"name": "m"}})
    api.delete("/billable_metrics/m")
    plan(api)
    api.put("/plans/p", {"plan": {"name": "p"}})
    api.post("/plans/p/metadata", {"metadata": {"a": "b"}})
    api.post("/plans/p/metadata", {})
    api.delete("/plans/p")
    async with installation.database.begin() as tx:
        waiting = await tx.scalars(
            select(OutboxMessage.webhook_type).where(OutboxMessage.organization_id == organization_id)
        )
        rendered = await tx.scalars(
            select(WebhookMessage.webhook_type).where(WebhookMessage.organization_id == organization_id)
        )
        types = [*waiting, *rendered]
    assert sorted(types) == [
        *("billable_metric.created", "billable_metric.deleted", "billable_metric.updated"),
        *("plan.created", "plan.deleted", "plan.updated", "plan.updated"),
    ]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (
            {
                "expression": "round(event.properties.v * event.properties.u)",
                "event": {"properties": {"v": 10.4, "u": 2}},
            },
            "21.0",
        ),
        ({"expression": "event.timestamp", "event": {"timestamp": "1651240791.9"}}, "1651240791.0"),
        ({"expression": "event.code", "event": {"code": "seats", "properties": "x"}}, "seats"),
        ({"expression": "1", "event": {}}, "1.0"),
    ],
)
def test_evaluation(api: Api, body: dict[str, Any], value: str) -> None:
    assert api.post("/billable_metrics/evaluate_expression", body) == {"expression_result": {"value": value}}


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"event": {}}, {"expression": ["value_is_mandatory"]}),
        ({"expression": " ", "event": {}}, {"expression": ["value_is_mandatory"]}),
        ({"expression": {"a": 1}, "event": {}}, {"expression": ["value_is_mandatory"]}),
        ({"expression": "min(1,2)", "event": {}}, {"expression": ["invalid_expression"]}),
        ({"expression": "1"}, {"event": ["invalid_event"]}),
        ({"expression": "1", "event": 3}, {"event": ["invalid_event"]}),
        ({"expression": "1 / 0", "event": {}}, {"event": ["invalid_event"]}),
        ({"expression": "event.properties.a", "event": {}}, {"event": ["invalid_event"]}),
        *(
            ({"expression": "1", "event": {"timestamp": wrong}}, {"event": ["invalid_event"]})
            for wrong in UNREADABLE_TIMESTAMPS
        ),
    ],
)
def test_evaluation_errors(api: Api, body: dict[str, Any], details: dict[str, list[str]]) -> None:
    assert refused(api, "POST", "/billable_metrics/evaluate_expression", body) == details
