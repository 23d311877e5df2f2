"""Fees on no invoice, of events and renewals, and the invoice that brings the paid ones together.

metering.md §6.6, rating.md §14, invoicing.md §12, §13, webhooks.md §2.5.
"""

from __future__ import annotations

from typing import Any

from tallystick.ground.installation import Installation
from tests.support.advance import fee_of, fees, sell, send, usage
from tests.support.api import Api
from tests.support.billing import invoices, one_invoice
from tests.support.catalog import charge, plan
from tests.support.payments import pay as pay_invoice
from tests.support.payments import payments
from tests.support.subscriptions import at, listen, subscribe, told

ALONE: dict[str, Any] = {"invoiceable": False}
REGROUPED: dict[str, Any] = {**ALONE, "regroup_paid_fees": "invoice"}
SEATS = {"recurring": True}


def vat(api: Api, rate: str = "20") -> None:
    api.post("/taxes", {"tax": {"code": "vat", "name": "VAT", "rate": rate, "applied_to_organization": True}})


def pay(api: Api, fee: dict[str, Any], status: str = "succeeded") -> dict[str, Any]:
    row: dict[str, Any] = api.put(f"/fees/{fee['lago_id']}", {"fee": {"payment_status": status}})["fee"]
    return row


def of_type(api: Api, invoice_type: str) -> list[dict[str, Any]]:
    return [row for row in invoices(api) if row["invoice_type"] == invoice_type]


def test_an_event_makes_a_fee_without_invoice(api: Api) -> None:
    vat(api)
    sell(api, properties={"amount": "1.5"}, **ALONE)
    fee = fee_of(api, send(api, 2))
    assert (fee["lago_invoice_id"], fee["payment_status"], fee["invoiceable"]) == (None, "pending", False)
    assert (fee["amount_cents"], fee["taxes_amount_cents"], fee["total_amount_cents"]) == (300, 60, 360)
    assert [tax["amount_cents"] for tax in fee["applied_taxes"]] == [60]
    api.at("2025-04-02T00:00:00Z")
    lines = [line["item"]["type"] for row in invoices(api) for line in row["fees"]]
    assert lines == ["subscription"]
    assert pay(api, fee)["succeeded_at"] == "2025-04-02T00:00:00Z"


async def test_messages_in_order(api: Api, installation: Installation) -> None:
    sell(api)
    listen(api)
    sent = send(api, 1, settled=False)
    await at(installation, api, api.now)
    invoice = one_invoice(api)
    (fee,) = invoice["fees"]
    assert fee["event_transaction_id"] == sent["transaction_id"]
    assert (await told(installation, api))[:2] == [
        ("fee.created", fee["lago_id"]),
        ("invoice.created", invoice["lago_id"]),
    ]


async def test_a_renewal_is_told_of_before_the_invoice(api: Api, installation: Installation) -> None:
    sell(api, of_metric=SEATS, **ALONE)
    send(api, 7)
    listen(api)
    await at(installation, api, "2025-04-01T00:00:00Z")
    (renewal,) = [row for row in fees(api) if not row.get("event_transaction_id")]
    assert [name for name, _ in await told(installation, api)][:2] == ["fee.created", "invoice.created"]
    assert (renewal["units"], renewal["amount_cents"], renewal["pay_in_advance"]) == ("7.0", 700, True)


def test_carried_units_are_renewed_at_full_price_for_the_new_period(api: Api) -> None:
    sell(api, properties={"amount": "10"}, start="2025-03-17T00:00:00Z", of_metric=SEATS, prorated=True)
    api.at("2025-03-20T00:00:00Z")
    first = fee_of(api, send(api, 4))
    assert first["amount_cents"] == 1548  # 4 seats for 12 of 31 days
    api.at("2025-04-01T00:00:00Z")
    (renewal,) = [row for row in fees(api) if row["lago_id"] != first["lago_id"]]
    assert (renewal["amount_cents"], renewal["units"], renewal["pay_in_advance"]) == (4000, "4.0", False)
    assert (renewal["from_date"], renewal["to_date"]) == ("2025-04-01T00:00:00+00:00", "2025-04-30T23:59:59+00:00")
    assert usage(api)["amount_cents"] == 4000
    api.at("2025-04-16T00:00:00Z")
    assert fee_of(api, send(api, 2))["amount_cents"] == 1000  # half the month
    assert usage(api)["amount_cents"] == 5000


def test_a_renewal_without_units_is_kept_only_alone(api: Api) -> None:
    sell(api, of_metric=SEATS, **ALONE)
    api.at("2025-04-01T00:00:00Z")
    (renewal,) = fees(api)
    assert (renewal["units"], renewal["amount_cents"], renewal["lago_invoice_id"]) == ("0.0", 0, None)


def test_no_renewal_without_units_on_an_invoice(api: Api) -> None:
    sell(api, of_metric=SEATS)
    api.at("2025-04-01T00:00:00Z")
    assert fees(api) == []


def test_nothing_is_renewed_when_the_subscription_ends(api: Api) -> None:
    sell(api, of_metric=SEATS)
    send(api, 3)
    api.at("2025-03-20T00:00:00Z")
    api.delete("/subscriptions/s")
    api.at("2025-05-02T00:00:00Z")
    assert [row["amount_cents"] for row in fees(api)] == [300]


def test_the_tick_of_a_downgrade_renews(api: Api) -> None:
    sell(api, of_metric=SEATS, of_plan={"amount_cents": 5000})
    send(api, 3)
    metric_id = api.get("/billable_metrics/m")["billable_metric"]["lago_id"]
    cheaper = charge({"lago_id": metric_id}, properties={"amount": "1"}, pay_in_advance=True)
    plan(api, "cheap", amount_cents=10, charges=[cheaper])
    subscribe(api, "cheap")
    api.at("2025-04-01T00:00:00Z")
    assert sorted(row["amount_cents"] for row in fees(api)) == [300, 300]


def test_paid_fees_come_together_at_the_tick(api: Api) -> None:
    """The example of invoicing.md §13: taxes are the sum of the fees' own, not computed anew."""
    vat(api)
    sell(api, properties={"amount": "0.01"}, **REGROUPED)
    paid = [pay(api, fee_of(api, send(api, value))) for value in (15060, 1707, 1606)]
    unpaid = fee_of(api, send(api, 5))
    api.at("2025-04-01T00:00:00Z")
    (invoice,) = of_type(api, "advance_charges")
    assert (invoice["fees_amount_cents"], invoice["taxes_amount_cents"]) == (18373, 3674)
    assert (invoice["total_amount_cents"], invoice["total_due_amount_cents"]) == (22047, 0)
    assert (invoice["status"], invoice["payment_status"]) == ("finalized", "succeeded")
    assert sorted(line["lago_id"] for line in invoice["fees"]) == sorted(fee["lago_id"] for fee in paid)
    (payment,) = payments(api, invoice_id=invoice["lago_id"])
    assert (payment["amount_cents"], payment["reference"]) == (22047, "Charges paid in advance")
    assert (payment["created_at"], payment["type"]) == ("2025-04-01T00:00:00Z", "manual")
    late = pay_invoice(api, invoice, 1, 422)
    assert late["error_details"] == {"amount_cents": ["value_is_out_of_range"]}
    assert [(tax["tax_code"], tax["amount_cents"], tax["fees_amount_cents"]) for tax in invoice["applied_taxes"]] == [
        ("vat", 3674, 18373)
    ]
    (period,) = invoice["billing_periods"]
    assert period["invoicing_reason"] == "in_advance_charge_periodic"
    assert period["charges_to_datetime"] == "2025-03-31T23:59:59Z"
    pay(api, unpaid)
    api.at("2025-05-01T00:00:00Z")
    assert [row["fees_amount_cents"] for row in of_type(api, "advance_charges")] == [18373, 5]


def test_fees_of_the_running_period_wait(api: Api) -> None:
    sell(api, start="2025-03-31T00:00:00Z", **REGROUPED)
    pay(api, fee_of(api, send(api, 1, at="2025-04-01T12:00:00+00:00")))
    api.at("2025-04-01T00:00:00Z")
    assert of_type(api, "advance_charges") == []
    api.at("2025-05-01T00:00:00Z")
    assert [row["fees_amount_cents"] for row in of_type(api, "advance_charges")] == [100]


def test_the_end_takes_all_that_is_paid_even_without_closing_invoice(api: Api) -> None:
    sell(api, **REGROUPED)
    pay(api, fee_of(api, send(api, 2)))
    api.at("2025-03-10T00:00:00Z")
    api.delete("/subscriptions/s?on_termination_invoice=skip")
    (invoice,) = invoices(api)
    assert (invoice["invoice_type"], invoice["fees_amount_cents"]) == ("advance_charges", 200)


def test_an_upgrade_takes_all_that_is_paid(api: Api) -> None:
    sell(api, **REGROUPED)
    pay(api, fee_of(api, send(api, 2)))
    plan(api, "dear", amount_cents=5000)
    api.at("2025-03-10T00:00:00Z")
    subscribe(api, "dear")
    assert [row["fees_amount_cents"] for row in of_type(api, "advance_charges")] == [200]


def test_without_a_charge_that_asks_for_it_nothing_comes_together(api: Api) -> None:
    sell(api, **ALONE)
    pay(api, fee_of(api, send(api, 2)))
    api.at("2025-04-02T00:00:00Z")
    assert of_type(api, "advance_charges") == []


def test_a_deleted_fee_is_gone_for_good(api: Api) -> None:
    sell(api, **REGROUPED)
    fee = fee_of(api, send(api, 2))
    pay(api, fee)
    api.delete(f"/fees/{fee['lago_id']}")
    api.at("2025-04-02T00:00:00Z")
    assert of_type(api, "advance_charges") == []
