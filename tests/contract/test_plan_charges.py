"""`plan_charges` and the charge filters of `plans` through the official client."""

from __future__ import annotations

from lago_python_client.models import Charge, ChargeFilter

from tests.contract.refusals import UNAUTHORIZED, coded, refused
from tests.contract.shop import Shop


def test_charges(shop: Shop) -> None:
    charges = shop.lago.plan_charges
    made = charges.create("basic", shop.charge("extra.1", prorated=False, invoice_display_name="Extra"))
    assert (made.code, made.invoice_display_name, made.invoiceable) == ("extra.1", "Extra", True)
    assert made.lago_billable_metric_id == shop.sold.lago_id
    assert charges.find("basic", "extra.1").lago_id == made.lago_id
    changed = charges.update("basic", "extra.1", Charge(properties={"amount": "0.75"}, charge_model="standard"))
    assert changed.properties["amount"] == "0.75"
    assert charges.destroy("basic", "extra.1").lago_id == made.lago_id
    assert refused(charges.find, "basic", "extra.1") == coded(404, "charge_not_found")
    assert refused(charges.find, "nope", "extra.1") == coded(404, "plan_not_found")


def test_charges_are_listed_without_a_key(shop: Shop) -> None:
    assert refused(shop.lago.plan_charges.find_all, "basic") == UNAUTHORIZED


def test_filters(shop: Shop) -> None:
    plans = shop.lago.plans
    american = ChargeFilter(invoice_display_name="US", properties={"amount": "0.1"}, values={"region": ["us"]})
    made = plans.create_charge_filter("basic", "calls", american)
    assert (made.invoice_display_name, made.values) == ("US", {"region": ["us"]})
    assert made.properties["amount"] == "0.1"
    assert plans.find_charge_filter("basic", "calls", made.lago_id).lago_id == made.lago_id
    changed = plans.update_charge_filter("basic", "calls", made.lago_id, ChargeFilter(properties={"amount": "0.2"}))
    assert changed.properties["amount"] == "0.2"
    listed = plans.find_all_charge_filters("basic", "calls", {"per_page": 10})
    assert sorted(row.invoice_display_name for row in listed["filters"]) == ["EU", "US"]
    assert listed["meta"]["total_count"] == 2
    assert plans.destroy_charge_filter("basic", "calls", made.lago_id).lago_id == made.lago_id
    missing = refused(plans.find_charge_filter, "basic", "calls", made.lago_id)
    assert missing == coded(404, "charge_filter_not_found")
