"""Drafts through time: when they are issued, what moves them, what has them computed again (invoicing.md §4, §9)."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import GRACE, drafted, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.subscriptions import customer, due, listen, subscribe, told


def billing(grace: int | None = None, anchor: str | None = None, adjustment: str | None = None) -> dict[str, Any]:
    """Settings of a customer; what is None is inherited."""
    return {
        "billing_configuration": {
            "invoice_grace_period": grace,
            "subscription_invoice_issuing_date_anchor": anchor,
            "subscription_invoice_issuing_date_adjustment": adjustment,
        }
    }


def change(api: Api, of: str = "c", **fields: Any) -> None:
    api.post("/customers", {"customer": {"external_id": of, **fields}})


def dates(invoice: dict[str, Any]) -> tuple[str, str, str]:
    """(status, issuing date, due date)."""
    return invoice["status"], invoice["issuing_date"], invoice["payment_due_date"]


# -- §4.3: a tick on the 1st of June, grace 3, term 30 ---------------------------------------------


@pytest.mark.parametrize(
    ("anchor", "adjustment", "draft_on", "final_on", "due_on"),
    [
        ("next_period_start", "align_with_finalization_date", "2025-06-04", "2025-06-04", "2025-07-04"),
        ("next_period_start", "keep_anchor", "2025-06-01", "2025-06-01", "2025-07-01"),
        ("current_period_end", "align_with_finalization_date", "2025-06-04", "2025-06-04", "2025-07-04"),
        ("current_period_end", "keep_anchor", "2025-05-31", "2025-05-31", "2025-06-30"),
    ],
)
def test_when_a_draft_is_issued(
    api: Api, anchor: str, adjustment: str, draft_on: str, final_on: str, due_on: str
) -> None:
    plan(api)
    api.at("2025-05-01T00:00:00Z")
    customer(api, net_payment_term=30, **billing(grace=3, anchor=anchor, adjustment=adjustment))
    subscribe(api)
    api.at("2025-06-01T00:00:00Z")
    assert dates(one_invoice(api))[:2] == ("draft", draft_on)
    api.at("2025-06-03T23:59:59Z")
    assert one_invoice(api)["status"] == "draft"
    api.at("2025-06-04T00:00:00Z")
    assert dates(one_invoice(api)) == ("finalized", final_on, due_on)


@pytest.mark.parametrize("adjustment", ["align_with_finalization_date", "keep_anchor"])
def test_without_grace_the_period_end_is_the_day_before(api: Api, adjustment: str) -> None:
    plan(api)
    api.at("2025-05-01T00:00:00Z")
    customer(api, net_payment_term=30, **billing(anchor="current_period_end", adjustment=adjustment))
    subscribe(api)
    api.at("2025-06-01T00:00:00Z")
    assert dates(one_invoice(api)) == ("finalized", "2025-05-31", "2025-06-30")


@pytest.mark.parametrize(
    ("timezone", "before", "at"),
    [
        ("America/New_York", "2025-07-04T03:59:59Z", "2025-07-04T04:00:00Z"),
        ("Asia/Tokyo", "2025-07-03T14:59:59Z", "2025-07-03T15:00:00Z"),
    ],
)
def test_grace_ends_at_the_customers_midnight(api: Api, timezone: str, before: str, at: str) -> None:
    plan(api)
    api.at("2025-06-01T12:00:00Z")
    customer(api, timezone=timezone, **GRACE)
    subscribe(api)
    api.at(before)
    assert one_invoice(api)["status"] == "draft"
    api.at(at)
    assert dates(one_invoice(api))[:2] == ("finalized", "2025-07-04")


# -- §4.4: settings change while there are drafts --------------------------------------------------


async def test_more_grace_moves_a_draft(api: Api, installation: Installation) -> None:
    plan(api)
    draft = drafted(api, net_payment_term=10)
    assert dates(draft) == ("draft", "2025-07-04", "2025-07-14")
    change(api, **billing(grace=5))
    assert dates(one_invoice(api)) == ("draft", "2025-07-06", "2025-07-16")
    assert await due(installation, draft) == {"finalize_invoice": "2025-07-06T00:00:00Z"}
    change(api, **billing(grace=2))
    assert dates(one_invoice(api)) == ("draft", "2025-07-03", "2025-07-13")
    api.at("2025-07-03T00:00:00Z")
    assert dates(one_invoice(api)) == ("finalized", "2025-07-03", "2025-07-13")
    change(api, **billing(grace=9))
    assert dates(one_invoice(api)) == ("finalized", "2025-07-03", "2025-07-13")


def test_no_grace_finalizes_at_once(api: Api) -> None:
    plan(api)
    draft = drafted(api, until="2025-07-02T06:00:00Z")
    change(api, **billing(grace=0))
    final = one_invoice(api)
    assert (*dates(final), final["lago_id"]) == ("finalized", "2025-07-02", "2025-07-02", draft["lago_id"])
    assert final["sequential_id"] == 1


@pytest.mark.parametrize(
    ("anchor", "adjustment", "issuing_on"),
    [
        ("next_period_start", "keep_anchor", "2025-07-01"),
        ("current_period_end", "keep_anchor", "2025-06-30"),
        ("current_period_end", "align_with_finalization_date", "2025-07-04"),
    ],
)
def test_another_issuing_rule_moves_a_draft(api: Api, anchor: str, adjustment: str, issuing_on: str) -> None:
    plan(api)
    drafted(api)
    change(api, **billing(grace=3, anchor=anchor, adjustment=adjustment))
    assert dates(one_invoice(api)) == ("draft", issuing_on, issuing_on)
    change(api, **billing(grace=3, anchor=None, adjustment=None))
    assert dates(one_invoice(api)) == ("draft", "2025-07-04", "2025-07-04")


def test_another_term_moves_the_due_date_of_drafts_only(api: Api) -> None:
    plan(api)
    api.at("2025-06-01T00:00:00Z")
    customer(api, **GRACE)
    subscribe(api)
    api.at("2025-08-01T06:00:00Z")
    change(api, net_payment_term=20)
    issued, draft = invoices(api)
    assert (*dates(issued), issued["net_payment_term"]) == ("finalized", "2025-07-04", "2025-07-04", 0)
    assert (*dates(draft), draft["net_payment_term"]) == ("draft", "2025-08-04", "2025-08-24", 20)


async def test_settings_of_the_billing_entity_move_those_who_inherit(api: Api, installation: Installation) -> None:
    plan(api)
    api.put("/organizations", {"organization": {"billing_configuration": {"invoice_grace_period": 3}}})
    api.at("2025-06-01T00:00:00Z")
    customer(api, "heir")
    customer(api, "own", **billing(grace=2), net_payment_term=7)
    for name in ("heir", "own"):
        subscribe(api, of=name, external_id=name)
    api.at("2025-07-01T06:00:00Z")
    settings = {"net_payment_term": 14, "billing_configuration": {"invoice_grace_period": 6}}
    api.put("/organizations", {"organization": settings})
    assert dates(one_invoice(api, "heir")) == ("draft", "2025-07-07", "2025-07-21")
    assert dates(one_invoice(api, "own")) == ("draft", "2025-07-03", "2025-07-10")
    assert await due(installation, one_invoice(api, "heir")) == {"finalize_invoice": "2025-07-07T00:00:00Z"}
    api.put("/organizations", {"organization": {"billing_configuration": {"invoice_grace_period": 0}}})
    assert dates(one_invoice(api, "heir")) == ("finalized", "2025-07-01", "2025-07-15")
    assert one_invoice(api, "own")["status"] == "draft"


async def test_a_move_to_another_time_zone_keeps_the_dates(api: Api, installation: Installation) -> None:
    plan(api)
    draft = drafted(api)
    change(api, timezone="America/New_York")
    assert dates(one_invoice(api)) == dates(draft)
    assert await due(installation, draft) == {"finalize_invoice": "2025-07-04T04:00:00Z"}
    api.at("2025-07-04T04:00:00Z")
    assert dates(one_invoice(api)) == ("finalized", "2025-07-04", "2025-07-04")


# -- §9.1: what marks drafts -----------------------------------------------------------------------


@pytest.fixture
def priced(api: Api) -> Api:
    """A draft over 30.00 with 20 % tax, and one call of June that it does not hold yet."""
    made = metric(api, "calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    api.post("/taxes", {"tax": {"name": "vat", "code": "vat", "rate": "20", "applied_to_organization": True}})
    plan(api, amount_cents=3000, charges=[charge(made, properties={"amount": "1"})])
    drafted(api, until="2025-07-01T06:01:00Z")
    return api


def call_late(api: Api) -> None:
    event = {"transaction_id": "late", "external_subscription_id": "s", "code": "calls", "timestamp": 1751313600}
    api.post("/events", {"event": {**event, "properties": {}}})


MARKS = {
    "plan": ("PUT", "/plans/p", {"plan": {"amount_cents": 4000}}),
    "tax": ("PUT", "/taxes/vat", {"tax": {"rate": "10"}}),
    "deleted tax": ("DELETE", "/taxes/vat", None),
    "new tax of everybody": (
        "POST",
        "/taxes",
        {"tax": {"name": "x", "code": "x", "rate": "5", "applied_to_organization": True}},
    ),
    "taxes of the customer": ("POST", "/customers", {"customer": {"external_id": "c", "tax_codes": ["low"]}}),
    "filters of a metric": (
        "PUT",
        "/billable_metrics/calls",
        {"billable_metric": {"filters": [{"key": "region", "values": ["eu"]}]}},
    ),
    "deleted metric": ("DELETE", "/billable_metrics/calls", None),
}
TOTALS = {
    "plan": 4000 + 100 + 820,
    "tax": 3100 + 310,
    "deleted tax": 3100,
    "new tax of everybody": 3100 + 775,
    "taxes of the customer": 3100 + 31,
    "filters of a metric": 3100 + 620,
    "deleted metric": 3000 + 600,
}


@pytest.mark.parametrize("mark", MARKS)
async def test_a_marked_draft_is_computed_again_at_the_next_five_minutes(
    priced: Api, installation: Installation, mark: str
) -> None:
    api = priced
    api.post("/taxes", {"tax": {"name": "low", "code": "low", "rate": "1"}})
    call_late(api)
    draft = one_invoice(api)
    assert draft["total_amount_cents"] == 3600
    listen(api)
    method, path, body = MARKS[mark]
    api.call(method, path, body)
    entries = await due(installation, draft)
    assert entries == {"finalize_invoice": "2025-07-04T00:00:00Z", "refresh_draft": "2025-07-01T06:05:00Z"}
    api.at("2025-07-01T06:04:59Z")
    assert one_invoice(api)["total_amount_cents"] == 3600
    await told(installation, api)
    api.at("2025-07-01T06:05:00Z")
    fresh = one_invoice(api)
    assert (fresh["status"], fresh["total_amount_cents"]) == ("draft", TOTALS[mark])
    assert await due(installation, draft) == {"finalize_invoice": "2025-07-04T00:00:00Z"}
    assert [kind for kind, _ in await told(installation, api) if kind.startswith("invoice.")] == []


async def test_taxes_of_a_billing_entity_mark_the_drafts_of_its_customers(api: Api, installation: Installation) -> None:
    plan(api)
    api.post("/billing_entities", {"billing_entity": {"name": "Branch", "code": "branch"}})
    api.post("/taxes", {"tax": {"name": "vat", "code": "vat", "rate": "20"}})
    api.at("2025-06-01T00:00:00Z")
    customer(api, "here", **GRACE)
    customer(api, "there", billing_entity_code="branch", **GRACE)
    for name in ("here", "there"):
        subscribe(api, of=name, external_id=name)
    api.at("2025-07-01T06:00:00Z")
    api.put("/billing_entities/branch", {"billing_entity": {"tax_codes": ["vat"]}})
    assert "refresh_draft" not in await due(installation, one_invoice(api, "here"))
    assert "refresh_draft" in await due(installation, one_invoice(api, "there"))
    api.at("2025-07-01T06:05:00Z")
    assert one_invoice(api, "there")["taxes_amount_cents"] == 20


async def test_what_changes_no_price_marks_nothing(priced: Api, installation: Installation) -> None:
    call_late(priced)
    priced.post("/customers", {"customer": {"external_id": "c", "name": "Acme"}})
    priced.put("/billable_metrics/calls", {"billable_metric": {"description": "Calls"}})
    priced.post("/taxes", {"tax": {"name": "x", "code": "x", "rate": "5"}})
    assert await due(installation, one_invoice(priced)) == {"finalize_invoice": "2025-07-04T00:00:00Z"}


async def test_the_sweep_leaves_drafts_of_ended_subscriptions_alone(priced: Api, installation: Installation) -> None:
    first = one_invoice(priced)
    priced.delete("/subscriptions/s", on_termination_invoice="skip")
    priced.put("/taxes/vat", {"tax": {"rate": "10"}})
    priced.at("2025-07-01T06:10:00Z")
    assert priced.get(f"/invoices/{first['lago_id']}")["invoice"]["taxes_amount_cents"] == 600
    priced.at("2025-07-04T00:00:00Z")
    assert priced.get(f"/invoices/{first['lago_id']}")["invoice"]["taxes_amount_cents"] == 300


# -- what ends before the drafts -------------------------------------------------------------------


def test_an_upgrade_leaves_a_draft_in_advance_whole(api: Api) -> None:
    plan(api, amount_cents=3000, pay_in_advance=True)
    plan(api, "large", amount_cents=6000, pay_in_advance=True)
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR", **GRACE)
    subscribe(api)
    api.at("2025-06-02T12:00:00Z")
    subscribe(api, "large")
    api.at("2025-06-06T00:00:00Z")
    amounts = [
        (row["fees_amount_cents"], row["credit_notes_amount_cents"], row["total_amount_cents"]) for row in invoices(api)
    ]
    # 29 of 30 days were paid in vain; the large plan runs for 29 days
    assert amounts == [(3000, 0, 3000), (5800, 2900, 2900)]


def test_an_upgrade_leaves_the_draft_of_the_period_before_whole(api: Api) -> None:
    seats = metric(api, aggregation_type="unique_count_agg", field_name="id", recurring=True)
    for code, amount in (("p", 3000), ("large", 6000)):
        plan(api, code, amount_cents=amount, charges=[charge(seats, properties={"amount": "1"})])
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR", **GRACE)
    subscribe(api)
    event = {"transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"id": "ann"}}
    api.post("/events", {"event": event})
    api.at("2025-07-02T12:00:00Z")
    subscribe(api, "large")
    api.at("2025-07-06T00:00:00Z")
    assert [row["fees_amount_cents"] for row in invoices(api)] == [3100, 97]


def test_deleting_the_plan_finalizes_its_drafts(api: Api) -> None:
    plan(api)
    draft = drafted(api)
    api.delete("/plans/p")
    final = api.get(f"/invoices/{draft['lago_id']}")["invoice"]
    assert dates(final)[:2] == ("finalized", "2025-07-01")


async def test_deleting_the_customer_finalizes_its_drafts_five_minutes_later(
    api: Api, installation: Installation
) -> None:
    plan(api)
    draft = drafted(api)
    api.delete("/customers/c")
    assert await due(installation, draft) == {"finalize_invoice": "2025-07-01T06:05:00Z"}
    api.at("2025-07-01T06:05:00Z")
    assert dates(api.get(f"/invoices/{draft['lago_id']}")["invoice"])[:2] == ("finalized", "2025-07-01")
