"""`billable_metrics` through the official client."""

from __future__ import annotations

from lago_python_client import Client
from lago_python_client.models import (
    BillableMetric,
    BillableMetricEvaluateExpression,
    BillableMetricEvaluateExpressionEvent,
    BillableMetricFilter,
    BillableMetricFilters,
)

from tests.contract.refusals import coded, invalid, refused


def test_create_and_find(lago: Client) -> None:
    filters = BillableMetricFilters(__root__=[BillableMetricFilter(key="region", values=["us", "eu"])])
    made = lago.billable_metrics.create(
        BillableMetric(
            name="Storage",
            code="storage.gb",
            description="d",
            aggregation_type="weighted_sum_agg",
            weighted_interval="seconds",
            recurring=True,
            field_name="gb",
            rounding_function="round",
            rounding_precision=2,
            filters=filters,
        )
    )
    assert (made.name, made.code, made.description) == ("Storage", "storage.gb", "d")
    assert (made.aggregation_type, made.weighted_interval, made.recurring) == ("weighted_sum_agg", "seconds", True)
    assert (made.rounding_function, made.rounding_precision, made.field_name) == ("round", 2, "gb")
    (region,) = made.filters.__root__
    assert (region.key, region.values) == ("region", ["eu", "us"])
    assert lago.billable_metrics.find("storage.gb") == made


def test_a_metric_without_options(lago: Client) -> None:
    made = lago.billable_metrics.create(BillableMetric(name="Calls", code="calls", aggregation_type="count_agg"))
    assert made.filters.__root__ == []
    assert (made.recurring, made.field_name, made.expression, made.weighted_interval) == (False, None, None, None)


def test_update_list_destroy(lago: Client) -> None:
    made = lago.billable_metrics.create(BillableMetric(name="Calls", code="calls", aggregation_type="count_agg"))
    assert lago.billable_metrics.update(BillableMetric(name="Requests"), "calls").name == "Requests"
    assert [row.name for row in lago.billable_metrics.find_all()["billable_metrics"]] == ["Requests"]
    assert lago.billable_metrics.destroy("calls").lago_id == made.lago_id
    assert refused(lago.billable_metrics.find, "calls") == coded(404, "billable_metric_not_found")


def test_evaluate_expression_sends_no_body(lago: Client) -> None:
    """The method cannot work (sdk-compat.md R9): the client sends nothing, which is a 422 and no fault."""
    event = BillableMetricEvaluateExpressionEvent(code="c", timestamp=1, properties={"a": 1})
    body = BillableMetricEvaluateExpression(expression="event.properties.a", event=event)
    details = refused(lago.billable_metrics.evaluate_expression, body)["error_details"]
    assert details["expression"] == ["value_is_mandatory"]


def test_refusals(lago: Client) -> None:
    body = BillableMetric(name="Calls", code="calls", aggregation_type="count_agg")
    lago.billable_metrics.create(body)
    assert refused(lago.billable_metrics.create, body) == invalid(code=["value_already_exist"])
    forbidden = BillableMetric(name="C", code="c", aggregation_type="custom_agg")
    assert refused(lago.billable_metrics.create, forbidden) == coded(403, "feature_unavailable")
