"""Usage of `customers` through the official client."""

from __future__ import annotations

from lago_python_client.models import ChargeFilters, Charges

from tests.contract.refusals import coded, refused
from tests.contract.shop import Shop


def test_current_usage(shop: Shop) -> None:
    shop.event(4)
    shop.event(2, properties={"n": 2, "region": "eu"})
    shop.settle()
    usage = shop.lago.customers.current_usage("acme", "sub")
    assert (usage.from_datetime, usage.to_datetime) == ("2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z")
    assert (usage.currency, usage.amount_cents, usage.taxes_amount_cents, usage.total_amount_cents) == (
        "EUR",
        200,
        40,
        240,
    )
    (row,) = usage.charges_usage
    assert (row.units, row.events_count, row.amount_cents) == ("6.0", 2, 200)
    assert (row.charge.charge_model, row.billable_metric.code) == ("standard", "calls")
    by_name = {item.invoice_display_name: item for item in row.filters}
    assert (by_name["EU"].units, by_name["EU"].amount_cents, by_name["EU"].values) == ("2.0", 100, {"region": ["eu"]})
    assert (by_name[None].units, by_name[None].amount_cents, by_name[None].values) == ("4.0", 100, None)


def test_current_usage_without_taxes_of_one_charge(shop: Shop) -> None:
    shop.event(4)
    usage = shop.lago.customers.current_usage("acme", "sub", apply_taxes="False", charge_code="calls", full_usage=False)
    assert (usage.taxes_amount_cents, usage.total_amount_cents) == (0, 100)
    assert [row.charge.charge_model for row in usage.charges_usage] == ["standard"]


def test_current_usage_in_groups(shop: Shop) -> None:
    properties = {"amount": "1", "pricing_group_keys": ["team"]}
    shop.plan(
        "grouped", charges=Charges(__root__=[shop.charge(properties=properties, filters=ChargeFilters(__root__=[]))])
    )
    shop.subscription("grouped", plan_code="grouped")
    shop.event(1, "grouped", properties={"n": 1, "team": "red"})
    shop.event(2, "grouped")  # an event that lacks the key is a group of its own
    (row,) = shop.lago.customers.current_usage("acme", "grouped").charges_usage
    groups = {str(item.grouped_by): item.units for item in row.grouped_usage}
    assert groups == {"{'team': 'red'}": "1.0", "{'team': None}": "2.0"}


def test_usage_of_nobody_and_of_nothing(shop: Shop) -> None:
    usage = shop.lago.customers.current_usage("acme", "sub")
    assert (usage.amount_cents, usage.charges_usage[0].units) == (0, "0.0")
    assert refused(shop.lago.customers.current_usage, "acme", "nope") == coded(405, "no_active_subscription")
    assert refused(shop.lago.customers.current_usage, "nobody", "sub") == coded(404, "customer_not_found")


def test_projected_usage(shop: Shop) -> None:
    shop.event(3)
    shop.event(3, properties={"n": 3, "region": "eu"})
    shop.settle()
    usage = shop.lago.customers.projected_usage("acme", "sub")
    assert (usage.amount_cents, usage.currency) == (225, "EUR")
    assert usage.projected_amount_cents >= usage.amount_cents
    (row,) = usage.charges_usage
    assert row.units == "6.0"
    assert {str(item.values) for item in row.filters} == {"{'region': ['eu']}", "{}"}
    assert refused(shop.lago.customers.projected_usage, "acme", "nope") == coded(405, "no_active_subscription")


def test_past_usage_before_the_first_invoice(shop: Shop) -> None:
    assert shop.lago.customers.past_usage("acme", "sub")["usage_periods"] == []


def test_reports(shop: Shop) -> None:
    shop.event(4)
    shop.api.at("2025-06-03T00:00:00Z")
    (row,) = shop.lago.usages.find_all({"time_granularity": "monthly"})["usages"]
    assert (row.billable_metric_code, row.units, row.amount_cents) == ("calls", 4.0, 100)
    assert (row.start_of_period_dt, row.end_of_period_dt, row.amount_currency) == ("2025-06-01", "2025-06-30", "EUR")
    assert row.is_billable_metric_deleted is False
