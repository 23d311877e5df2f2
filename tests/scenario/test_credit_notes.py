"""Credit notes on real invoices: by hand, by terminations, upgrades, voids and surpluses; used by later invoices."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import event

from tallystick.flows.billing.credit_notes.unused import Ended, credit_unused_time
from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import GRACE, add_on, bill_once, invoices, one_invoice
from tests.support.catalog import charge, metric, plan
from tests.support.coupons import apply, coupon
from tests.support.credit_notes import note, notes, tax
from tests.support.payments import pay
from tests.support.subscriptions import at, change, customer, listen, subscribe, told
from tests.support.watched import progressive

PARTS = ("credit_amount_cents", "refund_amount_cents", "offset_amount_cents")


def parts(row: dict[str, Any]) -> tuple[int, ...]:
    """Credit, refund and offset."""
    return tuple(row[name] for name in PARTS)


def paid_ahead(api: Api, **of: Any) -> dict[str, Any]:
    """The invoice of June of a plan of 30 EUR paid in advance, with 20 % tax."""
    api.at("2025-06-01T00:00:00Z")
    tax(api)
    plan(api, amount_cents=3000, pay_in_advance=True)
    customer(api, currency="EUR", **of)
    subscribe(api)
    return one_invoice(api)


# -- terminations and upgrades -------------------------------------------------------------------


async def test_a_termination_credits_unused_days(api: Api, installation: Installation) -> None:
    first = paid_ahead(api)
    listen(api)
    api.at("2025-06-12T15:00:00Z")
    gone = api.delete("/subscriptions/s")["subscription"]
    (made,) = notes(api)
    assert parts(made) == (2160, 0, 0)
    assert (made["sub_total_excluding_taxes_amount_cents"], made["taxes_amount_cents"]) == (1800, 360)
    assert (made["number"], made["reason"]) == (f"{first['number']}-CN001", "order_cancellation")
    assert (made["issuing_date"], made["lago_invoice_id"]) == ("2025-06-12", first["lago_id"])
    (item,) = made["items"]
    assert (item["amount_cents"], item["precise_amount_cents"]) == (1800, "1800.0")
    assert item["fee"]["lago_id"] == first["fees"][0]["lago_id"]
    final = invoices(api)[-1]
    assert [kind for kind, _ in await told(installation, api)] == [
        "credit_note.created",
        "subscription.terminated",
        "invoice.created",
    ]
    assert gone["on_termination_credit_note"] == "credit"
    assert (final["total_amount_cents"], final["credit_notes_amount_cents"]) == (0, 0)


@pytest.mark.parametrize(
    ("mode", "cents", "wanted"),
    [
        ("refund", 3600, (0, 2160, 0)),
        ("refund", 2000, (1600, 560, 0)),
        ("refund", 0, (2160, 0, 0)),
        ("offset", 3600, (0, 2160, 0)),
        ("offset", 2000, (0, 560, 1600)),
        ("offset", 0, (0, 0, 2160)),
        ("credit", 3600, (2160, 0, 0)),
    ],
)
def test_what_becomes_of_unused_days(api: Api, mode: str, cents: int, wanted: tuple[int, ...]) -> None:
    first = paid_ahead(api)
    if cents:
        pay(api, first, cents)
    api.at("2025-06-12T15:00:00Z")
    api.delete("/subscriptions/s", on_termination_credit_note=mode)
    (made,) = notes(api)
    assert parts(made) == wanted
    assert made["refund_status"] == ("pending" if wanted[1] else None)
    after = api.get(f"/invoices/{first['lago_id']}")["invoice"]
    assert after["total_offsetted_credit_note_amount_cents"] == wanted[2]
    assert after["total_due_amount_cents"] == 3600 - cents - wanted[2]


def test_no_note_when_none_is_wanted_or_nothing_was_billed(api: Api) -> None:
    paid_ahead(api)
    plan(api, "free", amount_cents=0, pay_in_advance=True)
    subscribe(api, "free", external_id="free")
    api.at("2025-06-02T00:00:00Z")
    # billed from the next period on
    subscribe(api, external_id="old", subscription_at="2025-05-20T00:00:00Z")
    api.at("2025-06-12T15:00:00Z")
    api.delete("/subscriptions/s", on_termination_credit_note="skip")
    api.delete("/subscriptions/free")
    api.delete("/subscriptions/old")
    assert notes(api) == []


def test_a_voided_invoice_has_nothing_to_credit(api: Api) -> None:
    first = paid_ahead(api)
    api.post(f"/invoices/{first['lago_id']}/void")
    api.at("2025-06-12T15:00:00Z")
    api.delete("/subscriptions/s")
    assert notes(api) == []


def test_days_are_those_of_the_customer(api: Api) -> None:
    """23:30 UTC on the 12th is the 13th in Paris."""
    paid_ahead(api, timezone="Europe/Paris")
    api.at("2025-06-12T23:30:00Z")
    api.delete("/subscriptions/s")
    (made,) = notes(api)
    assert (made["issuing_date"], made["items"][0]["amount_cents"]) == ("2025-06-13", 1700)


def test_several_subscriptions_of_one_invoice_end_together(api: Api) -> None:
    """Their notes are numbered one after another; the last one of an invoice takes the rounding."""
    api.at("2025-06-01T00:00:00Z")
    tax(api, 7)
    plan(api, amount_cents=1111, pay_in_advance=True)
    customer(api, currency="EUR")
    for name in ("a", "b"):
        subscribe(api, external_id=name)
    api.at("2025-07-01T00:00:00Z")
    api.delete("/plans/p")
    api.at("2025-07-02T00:00:00Z")
    made = notes(api)
    assert len({row["number"] for row in made}) == 2
    shared = [row for row in invoices(api) if row["fees_amount_cents"] == 2222]
    assert [row["number"] for row in made] == [f"{shared[0]['number']}-CN001", f"{shared[0]['number']}-CN002"]


async def test_queries_do_not_grow_with_notes(api: Api, installation: Installation) -> None:
    """A set of subscriptions is ended with their notes by as many statements as one of them."""
    api.at("2025-06-01T00:00:00Z")
    tax(api)
    plan(api, amount_cents=3000, pay_in_advance=True)
    ids = []
    for number in range(4):
        customer(api, f"c{number}", currency="EUR")
        ids.append(uuid.UUID(subscribe(api, of=f"c{number}", external_id=f"s{number}")["lago_id"]))
    ended_at = dt.datetime(2025, 6, 12, tzinfo=dt.UTC)
    counts = []
    for part in (ids[:1], ids[1:]):
        statements: list[str] = []
        engine = installation.database.engine.sync_engine

        def count(*given: Any, seen: list[str] = statements) -> None:
            seen.append(given[2])

        event.listen(engine, "before_cursor_execute", count)
        async with installation.database.begin() as tx:
            await credit_unused_time(tx, [Ended(each, ended_at) for each in part])
        event.remove(engine, "before_cursor_execute", count)
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert [parts(row) for row in notes(api)] == [(2160, 0, 0)] * 4


# -- consumption ---------------------------------------------------------------------------------


def billed_monthly(api: Api) -> dict[str, Any]:
    """The invoice of June of a plan of 30 EUR, with 20 % tax."""
    api.at("2025-06-01T00:00:00Z")
    tax(api)
    plan(api, amount_cents=3000)
    customer(api, currency="EUR")
    subscribe(api)
    api.at("2025-07-01T06:00:00Z")
    return one_invoice(api)


def test_invoices_use_the_oldest_notes_first(api: Api) -> None:
    first = billed_monthly(api)
    (fee,) = first["fees"]
    older = note(api, first, (fee, 500), credit_amount_cents=600)
    api.at("2025-07-02T00:00:00Z")
    gone = note(api, first, (fee, 100), credit_amount_cents=120)
    newer = note(api, first, (fee, 2400), credit_amount_cents=2880)
    api.put(f"/credit_notes/{gone['lago_id']}/void")
    api.at("2025-08-01T06:00:00Z")
    second = invoices(api)[-1]
    assert (second["credit_notes_amount_cents"], second["total_amount_cents"]) == (3480, 120)
    assert second["credits"] == [
        {
            "lago_id": row["lago_id"],
            "amount_cents": used["total_amount_cents"],
            "amount_currency": "EUR",
            "before_taxes": False,
            "item": {
                "lago_item_id": used["lago_id"],
                "type": "credit_note",
                "code": used["number"],
                "name": first["number"],
                "description": None,
            },
            "invoice": {"lago_id": second["lago_id"], "payment_status": "pending"},
        }
        for row, used in zip(second["credits"], (older, newer), strict=True)
    ]
    assert [(row["credit_status"], row["balance_amount_cents"]) for row in notes(api)] == [
        ("consumed", 0),
        ("voided", 0),
        ("consumed", 0),
    ]


def test_what_an_invoice_leaves_is_there_for_the_next(api: Api) -> None:
    billed_monthly(api)
    add_on(api, cents=5000)
    extra = bill_once(api)
    assert extra["credit_notes_amount_cents"] == 0
    note(api, extra, (extra["fees"][0], 5000), credit_amount_cents=6000)
    assert bill_once(api)["credit_notes_amount_cents"] == 0  # never one-off invoices
    api.at("2025-09-01T06:00:00Z")
    used = [row["credit_notes_amount_cents"] for row in invoices(api) if row["invoice_type"] == "subscription"]
    assert used == [0, 3600, 2400]
    assert [row["payment_status"] for row in invoices(api)][-2:] == ["succeeded", "pending"]


def test_invoices_of_one_instant_share_a_balance(api: Api) -> None:
    first = billed_monthly(api)
    for name in ("t", "u"):
        subscribe(api, external_id=name, consolidate_invoice=False)
    note(api, first, (first["fees"][0], 3000), credit_amount_cents=3600)
    api.at("2025-08-01T06:00:00Z")
    assert sum(row["credit_notes_amount_cents"] for row in invoices(api)) == 3600


def test_notes_of_another_currency_wait(api: Api) -> None:
    first = billed_monthly(api)
    plan(api, "dollars", amount_cents=1000, amount_currency="USD")
    subscribe(api, "dollars", external_id="usd")
    note(api, first, (first["fees"][0], 3000), credit_amount_cents=3600)
    api.at("2025-08-01T06:00:00Z")
    used = {row["currency"]: row["credit_notes_amount_cents"] for row in invoices(api)}
    assert used == {"EUR": 3600, "USD": 0}


def test_coupons_come_before_notes(api: Api) -> None:
    first = billed_monthly(api)
    note(api, first, (first["fees"][0], 2500), credit_amount_cents=3000)
    coupon(api, percentage_rate=50)
    apply(api, customer="c")
    api.at("2025-08-01T06:00:00Z")
    second = invoices(api)[-1]
    assert (second["coupons_amount_cents"], second["credit_notes_amount_cents"]) == (1500, 1800)
    assert second["total_amount_cents"] == 0


# -- drafts --------------------------------------------------------------------------------------


async def test_notes_of_drafts_are_drafts_until_the_invoice_is_issued(api: Api, installation: Installation) -> None:
    draft = paid_ahead(api, **GRACE)
    assert draft["status"] == "draft"
    api.at("2025-06-02T10:00:00Z")
    listen(api)
    api.delete("/subscriptions/s", on_termination_invoice="skip")
    assert [kind for kind, _ in await told(installation, api)] == [
        "subscription.updated",
        "subscription.terminated",
    ]
    assert notes(api) == []
    await at(installation, api, "2025-06-04T06:00:00Z")
    kinds = [kind for kind, _ in await told(installation, api)]
    assert kinds == ["invoice.created", "credit_note.created"]
    (made,) = notes(api)
    issued = one_invoice(api)
    assert (issued["status"], made["number"]) == ("finalized", f"{issued['number']}-CN001")
    assert parts(made) == (3360, 0, 0)  # 28 of 30 days
    assert made["items"][0]["fee"]["lago_id"] == issued["fees"][0]["lago_id"]
    assert issued["credit_notes_amount_cents"] == 0  # its own note pays nothing


def test_items_follow_the_lines_of_a_refreshed_draft(api: Api) -> None:
    draft = paid_ahead(api, **GRACE)
    api.at("2025-06-02T10:00:00Z")
    made = note(api, draft, (draft["fees"][0], 1000), credit_amount_cents=1200)
    assert made["number"].endswith("DRAFT-CN001")
    api.get(f"/credit_notes/{made['lago_id']}", 404)
    api.put("/plans/p", {"plan": {"amount_cents": 6000}})
    api.put(f"/invoices/{draft['lago_id']}/refresh")
    api.at("2025-06-04T06:00:00Z")
    (final,) = notes(api)
    assert final["lago_id"] == made["lago_id"]
    assert (final["items"][0]["amount_cents"], final["total_amount_cents"]) == (2000, 2400)


def test_a_deleted_draft_takes_its_notes_along(api: Api) -> None:
    draft = paid_ahead(api, **GRACE)
    made = note(api, draft, (draft["fees"][0], 1000), credit_amount_cents=1200)
    api.delete(f"/invoices/{draft['lago_id']}")
    api.at("2025-06-10T06:00:00Z")
    assert notes(api) == []
    api.put(f"/credit_notes/{made['lago_id']}/void", status=404)


def test_offsets_of_drafts_count_when_they_are_issued(api: Api) -> None:
    draft = paid_ahead(api, **GRACE)
    api.at("2025-06-02T10:00:00Z")
    api.delete("/subscriptions/s", on_termination_credit_note="offset", on_termination_invoice="skip")
    assert one_invoice(api)["total_offsetted_credit_note_amount_cents"] == 0
    api.at("2025-06-04T06:00:00Z")
    issued = api.get(f"/invoices/{draft['lago_id']}")["invoice"]
    assert (issued["total_offsetted_credit_note_amount_cents"], issued["total_due_amount_cents"]) == (3360, 240)


async def test_notes_of_drafts_that_end_closed_are_final(api: Api, installation: Installation) -> None:
    draft = paid_ahead(api, **GRACE, finalize_zero_amount_invoice="skip")
    made = note(api, draft, (draft["fees"][0], 1000), credit_amount_cents=1200)
    listen(api)
    api.put("/plans/p", {"plan": {"amount_cents": 0}})
    await told(installation, api)
    await at(installation, api, "2025-06-04T06:00:00Z")
    assert await told(installation, api) == [("credit_note.created", made["lago_id"])]
    (final,) = notes(api)
    assert (final["total_amount_cents"], final["number"]) == (0, made["number"])


# -- voids ---------------------------------------------------------------------------------------


@pytest.fixture
def sold(api: Api) -> dict[str, Any]:
    """An invoice of one add-on of 100 EUR with 20 % tax."""
    api.at("2025-06-05T10:00:00Z")
    tax(api)
    customer(api)
    add_on(api, cents=10000)
    return bill_once(api)


async def test_a_void_with_a_note_uses_up_all_fees(api: Api, sold: dict[str, Any], installation: Installation) -> None:
    listen(api)
    path = f"/invoices/{sold['lago_id']}/void"
    voided = api.post(path, {"generate_credit_note": True, "credit_amount": 5000})["invoice"]
    assert voided["status"] == "voided"
    assert [kind for kind, _ in await told(installation, api)] == ["credit_note.created"] * 2 + ["invoice.voided"]
    wanted, rest = notes(api)
    assert (wanted["credit_status"], parts(wanted), wanted["reason"]) == ("available", (5000, 0, 0), "other")
    assert (wanted["items"][0]["precise_amount_cents"], wanted["taxes_amount_cents"]) == ("4166.66667", 833)
    assert (rest["credit_status"], parts(rest), rest["balance_amount_cents"]) == ("voided", (7000, 0, 0), 0)
    assert (rest["items"][0]["amount_cents"], rest["precise_taxes_amount_cents"]) == (5833, "1166.93333")


def test_a_void_may_refund_what_was_paid(api: Api, sold: dict[str, Any]) -> None:
    pay(api, sold, 12000)
    path = f"/invoices/{sold['lago_id']}/void"
    body = {"generate_credit_note": True, "credit_amount": 2000, "refund_amount": 10000}
    api.post(path, body)
    (only,) = notes(api)
    assert (parts(only), only["refund_status"], only["balance_amount_cents"]) == ((2000, 10000, 0), "pending", 2000)


@pytest.mark.parametrize(
    "body",
    [
        {"credit_amount": 12001},
        {"refund_amount": 1},
        {"credit_amount": 12000, "refund_amount": 1},
        {"credit_amount": -1},
    ],
)
def test_a_void_credits_no_more_than_there_is(api: Api, sold: dict[str, Any], body: dict[str, int]) -> None:
    path = f"/invoices/{sold['lago_id']}/void"
    answer = api.post(path, {"generate_credit_note": True, **body}, 422)
    assert answer["error_details"] == {"credit_refund_amount": ["total_amount_exceeds_invoice_amount"]}
    assert api.get(f"/invoices/{sold['lago_id']}")["invoice"]["status"] == "finalized"
    assert notes(api) == []


def test_a_void_without_amounts_leaves_one_voided_note(api: Api, sold: dict[str, Any]) -> None:
    api.post(f"/invoices/{sold['lago_id']}/void", {"generate_credit_note": True})
    assert [(row["credit_status"], row["total_amount_cents"]) for row in notes(api)] == [("voided", 12000)]


def test_notes_that_a_voided_invoice_used_stay_used(api: Api) -> None:
    first = billed_monthly(api)
    note(api, first, (first["fees"][0], 3000), credit_amount_cents=3600)
    api.at("2025-08-01T06:00:00Z")
    api.post(f"/invoices/{invoices(api)[-1]['lago_id']}/void")
    assert notes(api)[0]["credit_status"] == "consumed"


# -- surpluses -----------------------------------------------------------------------------------


def peaked(api: Api, **of: Any) -> None:
    """Usage of 500 was billed when it passed a threshold, and went back to 200: the latest value counts."""
    api.at("2025-06-01T00:00:00Z")
    tax(api)
    disk = metric(api, "disk", "latest_agg", field_name="gb")
    priced = [charge(disk, properties={"amount": "1"})]
    plan(api, amount_cents=0, charges=priced, usage_thresholds=[{"amount_cents": 40000}])
    customer(api, currency="EUR", **of)
    subscribe(api)
    for day, gigabytes in ((10, 500), (20, 200)):
        api.at(f"2025-06-{day}T00:00:00Z")
        body = {"transaction_id": f"d{day}", "external_subscription_id": "s", "code": "disk"}
        api.post("/events", {"event": {**body, "properties": {"gb": gigabytes}}})
        api.at(f"2025-06-{day}T01:00:00Z")


@pytest.mark.parametrize("of", [{}, GRACE])
def test_usage_that_was_billed_and_not_used_is_credited(api: Api, of: dict[str, Any]) -> None:
    peaked(api, **of)
    (early,) = progressive(api)
    assert early["total_amount_cents"] == 60000
    api.at("2025-07-02T06:00:00Z")
    api.put(f"/invoices/{invoices(api)[-1]['lago_id']}/refresh")
    api.at("2025-07-05T06:00:00Z")
    (made,) = notes(api)
    assert (made["lago_invoice_id"], made["reason"]) == (early["lago_id"], "other")
    assert (parts(made), made["sub_total_excluding_taxes_amount_cents"]) == ((36000, 0, 0), 30000)
    final = invoices(api)[-1]
    assert (final["fees_amount_cents"], final["progressive_billing_credit_amount_cents"]) == (20000, 20000)
    assert final["total_amount_cents"] == 0


def test_a_note_on_a_progressive_invoice_lowers_what_is_taken_off(api: Api) -> None:
    peaked(api)
    (early,) = progressive(api)
    note(api, early, (early["fees"][0], 40000), credit_amount_cents=48000)
    api.at("2025-07-01T06:00:00Z")
    final = invoices(api)[-1]
    # 50 000 less 48 000 of the note
    assert final["progressive_billing_credit_amount_cents"] == 2000


def test_an_upgrade_credits_whatever_the_row_asks_for(api: Api) -> None:
    """And its invoice uses the note at once."""
    paid_ahead(api)
    plan(api, "large", amount_cents=6000, pay_in_advance=True)
    change(api, on_termination_credit_note="skip")
    api.at("2025-06-11T12:00:00Z")
    subscribe(api, "large")
    (made,) = notes(api)  # an upgrade always credits
    second = invoices(api)[-1]
    assert (made["credit_amount_cents"], second["credit_notes_amount_cents"]) == (2400, 2400)
    assert (second["fees_amount_cents"], second["total_amount_cents"]) == (4000, 2400)
