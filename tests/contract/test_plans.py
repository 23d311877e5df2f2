"""`plans` and their metadata through the official client."""

from __future__ import annotations

from typing import Any

from lago_python_client import Client
from lago_python_client.models import Charges, Plan

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def body(**more: Any) -> Plan:
    """A plan without charges."""
    plain = {"name": "Gold", "code": "gold.1", "interval": "yearly", "amount_cents": 100, "amount_currency": "EUR"}
    return Plan(**{**plain, "pay_in_advance": True, **more})


def test_find(shop: Shop) -> None:
    plan = shop.lago.plans.find("basic")
    assert (plan.name, plan.code, plan.interval, plan.amount_cents) == ("Basic", "basic", "monthly", 2000)
    assert (plan.amount_currency, plan.pay_in_advance, plan.trial_period) == ("EUR", False, None)
    (charge,) = plan.charges.__root__
    assert (charge.code, charge.billable_metric_code, charge.charge_model) == ("calls", "calls", "standard")
    assert (charge.properties["amount"], charge.min_amount_cents) == ("0.25", 0)
    (european,) = charge.filters.__root__
    assert (european.invoice_display_name, european.values) == ("EU", {"region": ["eu"]})
    assert european.properties["amount"] == "0.5"
    assert plan.minimum_commitment.amount_cents == 1000
    assert (plan.minimum_commitment.interval, plan.minimum_commitment.invoice_display_name) == ("monthly", "Minimum")
    (threshold,) = plan.usage_thresholds.__root__
    assert (threshold.amount_cents, threshold.recurring) == (9_000_000, False)
    assert plan.metadata == {"tier": "1"}


def test_create_update_list_destroy(lago: Client) -> None:
    made = lago.plans.create(body(trial_period=3.5, bill_charges_monthly=True, tax_codes=[]))
    assert (made.code, made.trial_period, made.bill_charges_monthly) == ("gold.1", 3.5, True)
    assert made.metadata is None
    changed = lago.plans.update(Plan(name="Silver", description="d", charges=Charges(__root__=[])), "gold.1")
    assert (changed.name, changed.description, changed.amount_cents) == ("Silver", "d", 100)
    answer = lago.plans.find_all({"per_page": 1})
    assert [plan.code for plan in answer["plans"]] == ["gold.1"]
    assert answer["meta"]["total_count"] == 1
    assert lago.plans.destroy("gold.1").lago_id == made.lago_id


def test_a_charge_whose_taxes_and_filters_are_its_own(shop: Shop) -> None:
    charges = Charges(__root__=[shop.charge("taxed", tax_codes=["vat"], min_amount_cents=5, pay_in_advance=False)])
    (charge,) = shop.plan("taxed", charges=charges).charges.__root__
    assert [tax.code for tax in charge.taxes.__root__] == ["vat"]
    assert charge.min_amount_cents == 5


def test_metadata(lago: Client) -> None:
    lago.plans.create(body())
    assert lago.plans.replace_metadata("gold.1", {"a": "1", "b": None}) == {"a": "1", "b": None}
    assert lago.plans.merge_metadata("gold.1", {"c": "3"}) == {"a": "1", "b": None, "c": "3"}
    assert lago.plans.delete_metadata_key("gold.1", "a") == {"b": None, "c": "3"}
    assert lago.plans.delete_all_metadata("gold.1") is None
    assert refused(lago.plans.delete_metadata_key, "gold.1", "a") == coded(404, "metadata_not_found")
    assert refused(lago.plans.replace_metadata, "nope", {}) == coded(404, "plan_not_found")


def test_refusals(shop: Shop) -> None:
    plans = shop.lago.plans
    assert refused(plans.create, body(code="basic")) == invalid(code=["value_already_exist"])
    unknown = Charges(__root__=[shop.charge(billable_metric_id="00000000-0000-7000-8000-000000000000")])
    assert refused(plans.create, body(charges=unknown)) == coded(404, "billable_metrics_not_found")
    assert refused(plans.find, "nope") == coded(404, "plan_not_found")
    assert refused(plans.destroy, "nope") == coded(404, "plan_not_found")
