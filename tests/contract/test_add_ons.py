"""`add_ons`, one-off invoices and fixed charges through the official client."""

from __future__ import annotations

from typing import Any

from lago_python_client import Client
from lago_python_client.models import (
    AddOn,
    FixedCharge,
    FixedChargeProperties,
    InvoiceFee,
    InvoiceFeesList,
    OneOffInvoice,
)

from tests.contract.refusals import UNAUTHORIZED, coded, invalid, refused
from tests.contract.shop import Shop


def create(lago: Client, code: str = "setup.1", **more: Any) -> Any:
    return lago.add_ons.create(AddOn(name="Setup", code=code, amount_cents=7500, amount_currency="EUR", **more))


def test_create_find_update_destroy(lago: Client) -> None:
    made = create(lago, description="d", invoice_display_name="Set-up", tax_codes=[])
    assert (made.name, made.code, made.amount_cents, made.amount_currency) == ("Setup", "setup.1", 7500, "EUR")
    assert (made.description, made.invoice_display_name, made.taxes.__root__) == ("d", "Set-up", [])
    assert lago.add_ons.find("setup.1") == made
    assert lago.add_ons.update(AddOn(amount_cents=1), "setup.1").amount_cents == 1
    assert [row.code for row in lago.add_ons.find_all()["add_ons"]] == ["setup.1"]
    assert refused(create, lago) == invalid(code=["value_already_exist"])
    assert lago.add_ons.destroy("setup.1").lago_id == made.lago_id
    assert refused(lago.add_ons.find, "setup.1") == coded(404, "add_on_not_found")


def test_a_one_off_invoice_has_no_periods(shop: Shop) -> None:
    create(shop.lago)
    lines = InvoiceFeesList(__root__=[InvoiceFee(add_on_code="setup.1", units=2, unit_amount_cents=6000)])
    invoice = shop.lago.invoices.create(OneOffInvoice(external_customer_id="acme", currency="EUR", fees=lines))
    assert (invoice.invoice_type, invoice.status, invoice.total_amount_cents) == ("one_off", "finalized", 14400)
    assert (invoice.billing_periods.__root__, invoice.subscriptions.__root__) == ([], [])
    (fee,) = invoice.fees.__root__
    assert (fee.item.type, fee.item.code, fee.units, fee.external_subscription_id) == ("add_on", "setup.1", "2.0", None)
    assert shop.lago.invoices.find(invoice.lago_id).billing_periods.__root__ == []
    assert [row.lago_id for row in shop.lago.fees.find_all({"fee_type": "add_on"})["fees"]] == [fee.lago_id]


def test_fixed_charges_without_a_name(shop: Shop) -> None:
    """The client takes no null for the name of a fixed charge (sdk-compat.md R1)."""
    create(shop.lago)
    body = FixedCharge(add_on_code="setup.1", code="seats", charge_model="standard", units=3)
    body.properties = FixedChargeProperties(amount="5")
    made = shop.lago.plan_fixed_charges.create("basic", body)
    assert (made.invoice_display_name, made.code, made.units, made.properties.amount) == ("", "seats", 3.0, "5")
    assert shop.lago.plan_fixed_charges.find("basic", "seats").lago_id == made.lago_id
    assert [row.code for row in shop.lago.plans.find("basic").fixed_charges.__root__] == ["seats"]
    assert shop.lago.plans.find_all()["plans"][0].fixed_charges.__root__[0].invoice_display_name == ""
    assert shop.lago.subscription_fixed_charges.find("sub", "seats").units == 3.0
    own = shop.lago.subscription_fixed_charges.update("sub", "seats", FixedCharge(units=4))
    assert own.units == 4.0
    changed = shop.lago.plan_fixed_charges.update("basic", "seats", FixedCharge(invoice_display_name="Seats"))
    assert changed.invoice_display_name == "Seats"
    assert shop.lago.plan_fixed_charges.destroy("basic", "seats").lago_id == made.lago_id
    assert refused(shop.lago.plan_fixed_charges.find_all, "basic") == UNAUTHORIZED
    assert refused(shop.lago.subscription_fixed_charges.find_all, "sub") == UNAUTHORIZED
