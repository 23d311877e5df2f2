"""`fees` through the official client."""

from __future__ import annotations

from lago_python_client.models import Fee

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def test_find_all_and_find(shop: Shop) -> None:
    assert shop.lago.fees.find_all()["fees"] == []
    shop.event(8)
    shop.invoice()
    options = {"fee_type": "charge", "external_subscription_id": "sub", "currency": "eur"}
    rows = shop.lago.fees.find_all({**options, "payment_status": "pending"})["fees"]
    (fee,) = [row for row in rows if row.amount_cents]
    assert (fee.units, fee.amount_cents, fee.total_amount_cents) == ("8.0", 200, 240)
    assert (fee.amount_currency, fee.taxes_rate, fee.precise_amount) == ("EUR", 20.0, "2.0")
    assert [tax.tax_code for tax in fee.applied_taxes.__root__] == ["vat"]
    found = shop.lago.fees.find(fee.lago_id)
    assert (found, found.external_customer_id) == (fee, "acme")
    assert shop.lago.fees.find_all({"page": 2})["fees"] == []


def test_an_invoiced_fee_is_not_changed_nor_deleted(shop: Shop) -> None:
    fee = shop.invoice().fees.__root__[0]
    assert refused(shop.lago.fees.update, Fee(payment_status="succeeded"), fee.lago_id) == coded(405, "invoiced_fee")
    assert refused(shop.lago.fees.destroy, fee.lago_id) == coded(405, "invoiced_fee")


def test_refusals(shop: Shop) -> None:
    assert refused(shop.lago.fees.find_all, {"fee_type": "x"}) == invalid(fee_type=["value_is_invalid"])
    assert refused(shop.lago.fees.find_all, {"created_at_from": "x"}) == invalid(created_at_from=["invalid_date"])
    for call in (shop.lago.fees.find, shop.lago.fees.destroy):
        assert refused(call, "nope") == coded(404, "fee_not_found")
