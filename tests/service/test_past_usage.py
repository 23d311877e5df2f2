"""Past usage: stored lines of the periods of a subscription (metering.md §7.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.usage_shop import charge, event, only_charge, subscribe

PATH = "/customers/c/past_usage"


def periods(api: Api, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(PATH, external_subscription_id="s", **params)["usage_periods"]
    return found


@pytest.fixture
def billed(api: Api) -> Api:
    """Two months billed: June with 5 calls and 1 byte, July with 2 calls; the plan costs 1.00 a month."""
    api.post("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": "20", "applied_to_organization": True}})
    metric = {"filters": [{"key": "region", "values": ["us", "eu"]}]}
    filters = [{"values": {"region": ["us"]}, "properties": {"amount": "2"}, "invoice_display_name": "US"}]
    calls = charge(api, "calls", filters=filters, metric=metric)
    subscribe(api, calls, charge(api, "bytes", min_amount_cents=700))
    event(api, "calls", n=3, region="us")
    event(api, "calls", n=2, region="eu")
    event(api, "bytes", n=1)
    api.at("2025-07-02T00:00:00Z")
    event(api, "calls", n=2)
    api.at("2025-08-02T00:00:00Z")
    return api


def test_periods_newest_first_with_the_amounts_of_their_usage(billed: Api) -> None:
    july, june = periods(billed)
    assert (june["from_datetime"], june["to_datetime"]) == ("2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z")
    assert (july["from_datetime"], july["issuing_date"], july["currency"]) == (
        "2025-07-01T00:00:00Z",
        "2025-08-01",
        "EUR",
    )
    # calls 3 x 2 + 2, bytes up to their minimum of 7; the plan of 1 is no usage
    assert (june["amount_cents"], june["taxes_amount_cents"], june["total_amount_cents"]) == (1500, 300, 1800)
    invoice = billed.get(f"/invoices/{june['lago_invoice_id']}")["invoice"]
    assert invoice["fees_amount_cents"] == 1600


def test_lines_by_charge_and_filter(billed: Api) -> None:
    _, june = periods(billed)
    bytes_, calls = june["charges_usage"]
    assert (calls["units"], calls["events_count"], calls["amount_cents"]) == ("5.0", 2, 800)
    assert [(one["values"], one["units"], one["amount_cents"]) for one in calls["filters"]] == [
        ({"region": ["us"]}, "3.0", 600),
        (None, "2.0", 200),
    ]
    assert (bytes_["charge"]["code"], bytes_["amount_cents"]) == ("bytes", 700)  # the true-up of 600 included


def test_one_metric(billed: Api) -> None:
    july, june = periods(billed, billable_metric_code="calls")
    assert [only_charge(one)["billable_metric"]["code"] for one in (july, june)] == ["calls", "calls"]
    assert june["amount_cents"] == 1500  # of all usage all the same
    assert billed.get(PATH, 404, external_subscription_id="s", billable_metric_code="x")["code"] == (
        "billable_metric_not_found"
    )


def test_pages(billed: Api) -> None:
    answer = billed.get(PATH, external_subscription_id="s", periods_count=1)
    assert [one["from_datetime"] for one in answer["usage_periods"]] == ["2025-07-01T00:00:00Z"]
    assert answer["meta"]["total_count"] == 2
    (older,) = periods(billed, per_page=1, page=2)
    assert older["from_datetime"] == "2025-06-01T00:00:00Z"


def test_charges_that_were_deleted_since(billed: Api) -> None:
    billed.delete("/plans/p/charges/calls")
    _, june = periods(billed)
    assert [one["charge"]["code"] for one in june["charges_usage"]] == ["bytes", "calls"]


def test_groups(api: Api) -> None:
    subscribe(api, charge(api, properties={"amount": "1", "pricing_group_keys": ["team"]}))
    event(api, n=1, team="red")
    event(api, n=2)
    api.at("2025-07-02T00:00:00Z")
    (june,) = periods(api)
    assert {one["grouped_by"]["team"]: one["units"] for one in only_charge(june)["grouped_usage"]} == {
        None: "2.0",
        "red": "1.0",
    }


def test_refusals(billed: Api) -> None:
    assert billed.get(PATH, 422)["error_details"] == {"external_subscription_id": ["value_is_mandatory"]}
    assert billed.get("/customers/x/past_usage", 404, external_subscription_id="s")["code"] == "customer_not_found"
    assert billed.get(PATH, external_subscription_id="x")["usage_periods"] == []
