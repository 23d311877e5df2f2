"""Fixed charges over time: starts, ticks, changes of units, changes of plan, ends (subscriptions.md §4.5)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from tallystick.core.occasion import Occasion, Reason
from tallystick.flows.billing.run import bill
from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import invoices, one_invoice
from tests.support.catalog import metric
from tests.support.fixed_charges import fixed, lines, shop
from tests.support.statements import counted
from tests.support.subscriptions import change, customer, subscribe


def started(api: Api, moment: str, *charges: dict[str, Any], **more: Any) -> Api:
    """A subscription to a free plan with these fixed charges, running since `moment`."""
    api.at(moment)
    shop(api, *charges, **more)
    customer(api)
    subscribe(api)
    return api


def units(api: Api, number: str | int, *, now: bool = True, code: str = "seat") -> None:
    """Other units for the subscription."""
    body = {"fixed_charge": {"units": number, "apply_units_immediately": now}}
    api.put(f"/subscriptions/s/fixed_charges/{code}", body)


def test_arrears_are_billed_at_the_end(api: Api) -> None:
    started(api, "2024-07-19T10:00:00Z", fixed(price="1", prorated=True))
    assert invoices(api) == []
    api.at("2024-08-01T00:00:00Z")
    invoice = one_invoice(api)
    assert lines(invoice) == [("10.0", 419)]  # 10 × 13/31
    (fee,) = [row for row in invoice["fees"] if row["item"]["type"] == "fixed_charge"]
    assert (fee["from_date"], fee["to_date"]) == ("2024-07-19T10:00:00+00:00", "2024-07-31T23:59:59+00:00")
    assert (fee["pay_in_advance"], fee["events_count"], fee["total_aggregated_units"]) == (False, None, "10.0")
    assert fee["item"]["code"] == "seat"
    assert fee["item"]["item_type"] == "AddOn"
    assert fee["lago_fixed_charge_id"] == api.get("/plans/p")["plan"]["fixed_charges"][0]["lago_id"]
    period = invoice["billing_periods"][0]
    assert period["fixed_charges_from_datetime"] == "2024-07-19T10:00:00Z"
    assert period["fixed_charges_to_datetime"] == "2024-07-31T23:59:59Z"
    api.at("2024-09-01T00:00:00Z")
    assert lines(invoices(api)[1]) == [("10.0", 1000)]


@pytest.mark.parametrize(
    ("changes", "full", "amount"),
    [
        ([], "10.0", 10000),
        ([("2025-01-16T00:00:00Z", 15)], "15.0", 12581),
        ([("2025-01-11T00:00:00Z", 0)], "0.0", 3226),
    ],
)
def test_changes_at_once_are_prorated(api: Api, changes: list[tuple[str, int]], full: str, amount: int) -> None:
    started(api, "2024-12-05T00:00:00Z", fixed(prorated=True))
    for moment, number in changes:
        api.at(moment)
        units(api, number)
    api.at("2025-02-01T00:00:00Z")
    assert lines(invoices(api)[-1]) == [(full, amount)]


def test_changes_wait_for_the_next_period_unless_told_otherwise(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(prorated=True))
    api.at("2025-01-10T00:00:00Z")
    units(api, 20, now=False)
    api.at("2025-03-01T00:00:00Z")
    assert [lines(row) for row in invoices(api)] == [[("10.0", 10000)], [("20.0", 20000)]]


def test_in_advance_on_an_arrears_plan(api: Api) -> None:
    started(api, "2024-07-19T10:00:00Z", fixed(price="1", prorated=True, pay_in_advance=True), amount_cents=3100)
    first = one_invoice(api)
    assert first["billing_periods"][0]["invoicing_reason"] == "in_advance_charge"
    assert first["status"] == "finalized"
    assert [fee["item"]["type"] for fee in first["fees"]] == ["fixed_charge"]
    assert lines(first) == [("10.0", 419)]
    assert first["fees"][0]["pay_in_advance"] is True
    assert first["fees"][0]["to_date"] == "2024-07-31T23:59:59+00:00"
    api.at("2024-08-01T00:00:00Z")
    second = invoices(api)[1]
    assert lines(second) == [("10.0", 1000)]
    assert [fee["from_date"] for fee in second["fees"] if fee["item"]["type"] == "fixed_charge"] == [
        "2024-08-01T00:00:00+00:00"
    ]
    api.delete("/subscriptions/s")
    assert lines(invoices(api)[2]) == []


def test_in_advance_on_an_advance_plan_shares_the_first_invoice(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(pay_in_advance=True), amount_cents=3100, pay_in_advance=True)
    first = one_invoice(api)
    assert [fee["item"]["type"] for fee in first["fees"]] == ["subscription", "fixed_charge"]
    assert first["billing_periods"][0]["invoicing_reason"] == "subscription_starting"


def test_in_advance_during_a_trial(api: Api) -> None:
    started(
        api,
        "2025-01-01T00:00:00Z",
        *[fixed(pay_in_advance=True)],
        amount_cents=3100,
        pay_in_advance=True,
        trial_period=10,
    )
    assert one_invoice(api)["billing_periods"][0]["invoicing_reason"] == "in_advance_charge"
    api.at("2025-01-11T00:00:00Z")
    second = invoices(api)[1]
    assert [fee["item"]["type"] for fee in second["fees"]] == ["subscription"]


RAISES = [
    ("2025-01-17T09:00:00Z", 15, ("5.0", 2419)),
    ("2025-01-20T09:00:00Z", 12, ("0.0", 0)),
    ("2025-01-25T09:00:00Z", 16, ("1.0", 226)),
]


def test_raises_within_a_period_paid_in_advance(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(pay_in_advance=True, prorated=True))
    for moment, number, expected in RAISES:
        api.at(moment)
        units(api, number)
        invoice = invoices(api)[-1]
        assert lines(invoice) == [expected]
        assert invoice["billing_periods"][0]["invoicing_reason"] == "in_advance_charge"
        assert invoice["fees"][0]["amount_details"] == {}
    api.at("2025-02-01T00:00:00Z")
    assert lines(invoices(api)[-1]) == [("16.0", 16000)]
    assert len(invoices(api)) == 5


def test_the_peak_that_was_paid_counts(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(pay_in_advance=True))
    for number in (5, 15):
        api.at(f"2025-01-{number + 10}T09:00:00Z")
        units(api, number)
    assert [lines(row) for row in invoices(api)] == [[("10.0", 10000)], [("0.0", 0)], [("5.0", 5000)]]


def test_a_raise_does_not_wait_and_drafts_do_not_bill_it_again(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    shop(api, fixed(pay_in_advance=True, prorated=True))
    customer(api, billing_configuration={"invoice_grace_period": 20})
    subscribe(api)
    api.at("2025-02-01T00:00:00Z")
    draft = invoices(api)[1]
    assert (draft["status"], lines(draft)) == ("draft", [("10.0", 10000)])
    api.at("2025-02-15T00:00:00Z")
    units(api, 24)
    raised = invoices(api)[-1]
    assert (raised["status"], lines(raised)) == ("finalized", [("14.0", 7000)])
    refreshed = api.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]
    assert lines(refreshed) == [("10.0", 10000)]
    api.at("2025-02-21T00:00:00Z")
    assert lines(api.get(f"/invoices/{draft['lago_id']}")["invoice"]) == [("10.0", 10000)]


def test_plan_units_change_for_all_but_those_with_their_own(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    made = shop(api, fixed())
    for name in ("a", "b"):
        customer(api, name)
        subscribe(api, of=name, external_id=name)
    api.put("/subscriptions/b/fixed_charges/seat", {"fixed_charge": {"units": 3, "apply_units_immediately": True}})
    item = {"id": made["fixed_charges"][0]["lago_id"], "units": 20, "apply_units_immediately": True}
    api.put("/plans/p", {"plan": {"fixed_charges": [item]}})
    api.at("2025-02-01T00:00:00Z")
    assert lines(one_invoice(api, "a")) == [("20.0", 20000)]
    assert lines(one_invoice(api, "b")) == [("3.0", 3000)]


def test_a_raise_on_the_plan_is_billed_to_each_subscription(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    made = shop(api, fixed(pay_in_advance=True))
    for name in ("a", "b"):
        customer(api, name)
        subscribe(api, of=name, external_id=name)
    item = {"id": made["fixed_charges"][0]["lago_id"], "units": 20, "apply_units_immediately": True}
    api.put("/plans/p", {"plan": {"fixed_charges": [item]}})
    for name in ("a", "b"):
        assert [lines(row) for row in invoices(api, name)] == [[("10.0", 10000)], [("10.0", 10000)]]


def test_upgrade_credits_what_the_old_plan_was_paid(api: Api) -> None:
    started(api, "2023-08-01T00:00:00Z", fixed(units=5, price="3", pay_in_advance=True, prorated=True))
    shop(api, fixed(units=10, price="10", pay_in_advance=True, prorated=True), code="large")
    assert lines(one_invoice(api)) == [("5.0", 1500)]
    api.at("2023-08-21T00:00:00Z")
    subscribe(api, "large")
    upgrade = invoices(api)[1]
    assert lines(upgrade) == [("10.0", 3016)]
    reasons = {row["invoicing_reason"] for row in upgrade["billing_periods"]}
    assert reasons == {"subscription_terminating", "subscription_starting"}


def test_termination_bills_arrears_to_the_day(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(prorated=True))
    api.at("2025-01-10T12:00:00Z")
    api.delete("/subscriptions/s")
    assert lines(one_invoice(api)) == [("10.0", 3226)]  # 10 of 31 days


def test_monthly_fixed_charges_of_a_yearly_plan(api: Api) -> None:
    charges = [fixed(prorated=True), fixed(units=2, pay_in_advance=True)]
    started(api, "2025-01-01T00:00:00Z", *charges, interval="yearly", bill_fixed_charges_monthly=True)
    api.at("2025-03-01T00:00:00Z")
    assert [lines(row) for row in invoices(api)] == [
        [("2.0", 2000)],
        [("10.0", 10000), ("2.0", 2000)],
        [("10.0", 10000), ("2.0", 2000)],
    ]


def test_fixed_charges_of_a_yearly_plan_wait_for_its_period(api: Api) -> None:
    calls = metric(api, "calls")
    usage = {"billable_metric_id": calls["lago_id"], "charge_model": "standard", "properties": {"amount": "1"}}
    started(
        api,
        "2025-01-01T00:00:00Z",
        *[fixed(), fixed(units=2, pay_in_advance=True)],
        interval="yearly",
        bill_charges_monthly=True,
        charges=[usage],
    )
    api.at("2025-06-10T00:00:00Z")
    assert [lines(row) for row in invoices(api)][:3] == [[("2.0", 2000)], [], []]
    units(api, 3, code="seat_2")  # [D] a change within the year is always billed
    assert lines(invoices(api)[-1]) == [("1.0", 1000)]
    api.at("2026-01-01T00:00:00Z")
    assert lines(invoices(api)[-1]) == [("10.0", 10000), ("3.0", 3000)]


def test_units_of_an_override_go_on_with_the_child(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(prorated=True))
    charge_id = api.get("/plans/p")["plan"]["fixed_charges"][0]["lago_id"]
    api.at("2025-01-11T00:00:00Z")
    units(api, 20)
    api.at("2025-01-21T00:00:00Z")
    change(api, plan_overrides={"name": "own", "fixed_charges": [{"id": charge_id, "properties": {"amount": "20"}}]})
    (own,) = api.get("/subscriptions/s/fixed_charges")["fixed_charges"]
    assert (own["units"], own["lago_parent_id"]) == ("20.0", charge_id)
    api.at("2025-02-01T00:00:00Z")
    # 10 × 10/31 + 20 × 21/31, at 20
    assert lines(one_invoice(api)) == [("20.0", 33548)]


def test_an_override_in_advance_bills_the_difference(api: Api) -> None:
    started(api, "2025-01-01T00:00:00Z", fixed(pay_in_advance=True))
    charge_id = api.get("/plans/p")["plan"]["fixed_charges"][0]["lago_id"]
    api.at("2025-01-11T00:00:00Z")
    item = {"id": charge_id, "units": 12, "apply_units_immediately": True, "invoice_display_name": "Seats"}
    change(api, plan_overrides={"fixed_charges": [item]})
    raised = invoices(api)[-1]
    assert lines(raised) == [("2.0", 2000)]
    assert raised["fees"][0]["item"]["invoice_display_name"] == "Seats"
    api.at("2025-02-01T00:00:00Z")
    assert lines(invoices(api)[-1]) == [("12.0", 12000)]


def test_units_only_overrides_at_creation(api: Api) -> None:
    api.at("2025-01-01T00:00:00Z")
    made = shop(api, fixed(pay_in_advance=True))
    customer(api)
    item = {"id": made["fixed_charges"][0]["lago_id"], "units": "4"}
    row = subscribe(api, plan_overrides={"fixed_charges": [item]})
    assert row["plan"]["parent_id"] is None
    assert lines(one_invoice(api)) == [("4.0", 4000)]
    (own,) = api.get("/subscriptions/s/fixed_charges")["fixed_charges"]
    assert own["units"] == "4.0"


def test_backdated_starts_bill_nothing_in_advance(api: Api) -> None:
    api.at("2025-01-20T00:00:00Z")
    shop(api, fixed(pay_in_advance=True), fixed(units=1))
    customer(api)
    subscribe(api, subscription_at="2025-01-05T00:00:00Z")
    assert invoices(api) == []
    api.at("2025-02-01T00:00:00Z")
    assert lines(one_invoice(api)) == [("10.0", 10000), ("1.0", 1000)]


def test_graduated_and_volume(api: Api) -> None:
    ranges = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "10", "flat_amount": "5"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "8", "flat_amount": "0"},
    ]
    started(
        api,
        "2025-01-01T00:00:00Z",
        fixed(units=15, charge_model="graduated", properties={"graduated_ranges": ranges}),
        fixed(units=15, charge_model="volume", properties={"volume_ranges": ranges}),
        fixed(units=0, charge_model="graduated", prorated=True, properties={"graduated_ranges": ranges}),
    )
    api.at("2025-02-01T00:00:00Z")
    invoice = one_invoice(api)
    assert lines(invoice) == [("15.0", 14500), ("15.0", 12000), ("0.0", 500)]
    assert invoice["fees"][1]["amount_details"]["graduated_ranges"]


async def test_queries_do_not_grow_with_subscriptions(api: Api, installation: Installation) -> None:
    """A tick with fixed charges, raised units and commitments takes as many statements for one row as for many."""
    counts = []
    for number in (1, 6):
        own = Api(str(api.http.base_url)).at("2025-01-01T00:00:00Z")
        charges = fixed(pay_in_advance=True, prorated=True), fixed(prorated=True)
        shop(own, *charges, minimum_commitment={"amount_cents": 10**7})
        customer(own)
        for place in range(number):
            subscribe(own, external_id=f"s{place}")
        rows = own.get("/subscriptions")["subscriptions"]
        at = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
        with counted(installation.database) as statements:
            async with installation.database.begin() as tx:
                await bill(tx, [Occasion(uuid.UUID(row["lago_id"]), Reason.PERIODIC, at) for row in rows])
                await tx.rollback()
        counts.append(len(statements))
    assert counts[0] == counts[1]
