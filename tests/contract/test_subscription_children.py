"""What hangs on `subscriptions` in the official client: charges, lifetime usage, alerts; estimates, past usage."""

from __future__ import annotations

from lago_python_client.models import (
    Alert,
    AlertsList,
    AlertThreshold,
    AlertThresholdList,
    Charge,
    ChargeFilter,
    Charges,
    Event,
)

from tests.contract.refusals import UNAUTHORIZED, coded, refused
from tests.contract.shop import Shop


def test_charges(shop: Shop) -> None:
    lago = shop.lago
    assert lago.subscription_charges.find("sub", "calls").properties["amount"] == "0.25"
    own = lago.subscription_charges.update("sub", "calls", Charge(properties={"amount": "0.75"}))
    assert own.properties["amount"] == "0.75"
    assert refused(lago.subscription_charges.find_all, "sub") == UNAUTHORIZED


def test_charge_filters(shop: Shop) -> None:
    lago = shop.lago
    wanted = ChargeFilter(invoice_display_name="Own", properties={"amount": "3"}, values={"region": ["us"]})
    made = lago.subscriptions.create_charge_filter("sub", "calls", wanted)
    assert (made.invoice_display_name, made.values) == ("Own", {"region": ["us"]})
    changed = lago.subscriptions.update_charge_filter(
        "sub", "calls", made.lago_id, ChargeFilter(properties={"amount": "4"})
    )
    assert lago.subscriptions.find_charge_filter("sub", "calls", made.lago_id) == changed
    assert lago.subscriptions.find_all_charge_filters("sub", "calls")["meta"]["total_count"] == 2
    assert lago.subscriptions.destroy_charge_filter("sub", "calls", made.lago_id) == changed
    assert refused(lago.subscriptions.find_charge_filter, "sub", "x", made.lago_id) == coded(404, "charge_not_found")


def test_lifetime_usage(shop: Shop) -> None:
    shop.event(4)
    found = shop.lago.subscriptions.lifetime_usage("sub")
    assert (found.external_subscription_id, found.invoiced_usage_amount_cents) == ("sub", 0)
    assert found.usage_thresholds[0].amount_cents == 9_000_000
    changed = shop.lago.subscriptions.update_lifetime_usage("sub", 1234)
    assert changed.external_historical_usage_amount_cents == 1234


def test_alerts(shop: Shop) -> None:
    thresholds = AlertThresholdList(__root__=[AlertThreshold(code="warn", value="99", recurring=False)])
    body = AlertsList(alerts=[Alert(alert_type="current_usage_amount", code="a", name="A", thresholds=thresholds)])
    (made,) = shop.lago.subscriptions.create_alerts("sub", body)["alerts"]
    assert (made.code, made.alert_type, made.external_subscription_id) == ("a", "current_usage_amount", "sub")
    assert [(row.code, row.value) for row in made.thresholds.__root__] == [("warn", "99.0")]
    assert shop.lago.subscriptions.delete_alerts("sub") is None
    assert shop.api.get("/subscriptions/sub/alerts")["alerts"] == []


def test_estimates_of_fees(shop: Shop) -> None:
    charge = shop.charge("now", pay_in_advance=True, properties={"amount": "2"})
    shop.plan("prompt", charges=Charges(__root__=[charge]), minimum_commitment=None)
    shop.subscription("prompt", plan_code="prompt")
    event = Event(transaction_id="e", external_subscription_id="prompt", code="calls", properties={"n": 3})
    (fee,) = shop.lago.events.estimate_fees(event)["fees"]
    assert (fee.lago_id, fee.amount_cents, fee.units, fee.pay_in_advance) == (None, 600, "3.0", True)


def test_past_usage(shop: Shop) -> None:
    shop.event(4)
    assert shop.lago.customers.past_usage("acme", "sub")["usage_periods"] == []
    invoice = shop.invoice()
    (period,) = shop.lago.customers.past_usage("acme", "sub", {"periods_count": 1})["usage_periods"]
    assert (period.lago_invoice_id, period.charges_usage[0].amount_cents) == (invoice.lago_id, 100)
    assert refused(shop.lago.customers.past_usage, "acme", "sub", {"billable_metric_code": "no"}) == coded(
        404, "billable_metric_not_found"
    )
