"""Progressive billing through events and the clock: the worked table of subscriptions.md §5.4 and its surroundings."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import invoices
from tests.support.catalog import charge, metric
from tests.support.coupons import apply, coupon
from tests.support.subscriptions import change, listen, subscribe
from tests.support.watched import messages, progressive, shop, use

THRESHOLDS = [{"amount_cents": cents} for cents in (200, 500, 700)] + [{"amount_cents": 1000, "recurring": True}]
REACHED = "subscription.usage_threshold_reached"


def amounts(row: dict[str, Any]) -> tuple[int, int, int]:
    """Fees, credit for what was billed before, total."""
    credit = row["progressive_billing_credit_amount_cents"]
    return row["fees_amount_cents"], credit, row["total_amount_cents"]


async def test_the_worked_table(api: Api, installation: Installation) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    wanted: list[tuple[int, int, int]] = []
    told: list[int] = []
    for units, made, passed in (
        (11000, (220, 0, 220), [200]),
        (11000, None, []),
        (11000, (660, 220, 440), [500]),
        (11000, (880, 660, 220), [700]),
        (110000, (3080, 880, 2200), [1000]),
        (110000, (5280, 3080, 2200), [1000]),
    ):
        use(api, units)
        wanted += [made] if made else []
        told += passed
        assert [amounts(row) for row in progressive(api)] == wanted
        reached = await messages(installation, api, REACHED)
        assert [body["subscription"]["usage_threshold"]["amount_cents"] for body in reached] == told
    api.at("2025-07-01T00:00:00Z")
    final = next(row for row in invoices(api) if row["invoice_type"] == "subscription")
    assert amounts(final) == (8380, 5280, 3100)
    listen(api)  # nobody answered the other one
    use(api, 110000)
    assert amounts(progressive(api)[-1]) == (2200, 0, 2200)
    reached = await messages(installation, api, REACHED)
    assert [body["subscription"]["usage_threshold"]["amount_cents"] for body in reached] == [*told, 1000]


async def test_the_invoice_and_its_messages(api: Api, installation: Installation) -> None:
    row = shop(api, usage_thresholds=THRESHOLDS)
    api.at("2025-06-10T12:00:00Z")
    use(api, 30000)
    (invoice,) = progressive(api)
    assert (invoice["status"], invoice["payment_status"], invoice["issuing_date"]) == (
        "finalized",
        "pending",
        "2025-06-10",
    )
    (period,) = invoice["billing_periods"]
    assert period["invoicing_reason"] == "progressive_billing"
    assert (period["charges_from_datetime"], period["charges_to_datetime"]) == (
        "2025-06-01T00:00:00Z",
        "2025-06-30T23:59:59Z",
    )
    assert [one["item"]["type"] for one in invoice["fees"]] == ["charge"]
    applied = invoice["applied_usage_thresholds"]
    assert [one["usage_threshold"]["amount_cents"] for one in applied] == [200, 500]
    assert {one["lifetime_usage_amount_cents"] for one in applied} == {600}
    types = [body["webhook_type"] for body in await messages(installation, api)]
    first = types.index("invoice.created")
    assert types[first : first + 4] == ["invoice.created", REACHED, REACHED, "invoice.generated"]
    body = (await messages(installation, api, REACHED))[0]["subscription"]
    assert body["lago_id"] == row["lago_id"]
    assert body["usage_threshold"] == applied[0]["usage_threshold"]
    assert [one["amount_cents"] for one in body["applicable_usage_thresholds"]] == [200, 500, 700, 1000]
    assert {"plan", "customer"} <= body.keys()


def test_the_credit_names_the_invoice(api: Api) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    use(api, 11000)
    use(api, 22000)
    first, second = progressive(api)
    (credit,) = second["credits"]
    assert (credit["amount_cents"], credit["before_taxes"]) == (220, True)
    assert credit["item"] == {
        "lago_item_id": first["lago_id"],
        "type": "invoice",
        "code": first["number"],
        "name": first["number"],
        "description": None,
    }
    (fee,) = second["fees"]
    assert fee["precise_coupons_amount_cents"] == "220.0"
    assert fee["sub_total_excluding_taxes_amount_cents"] == 440


def test_taxes_and_coupons(api: Api) -> None:
    """20 % tax, 10 % coupon: the credit is what was paid before taxes, the fee is lowered by all that was billed."""
    shop(api, price="1", subscribed=False, usage_thresholds=[{"amount_cents": 10000}])
    api.post("/taxes", {"tax": {"code": "vat", "name": "vat", "rate": "20", "applied_to_organization": True}})
    coupon(api, percentage_rate=10, frequency="forever")
    apply(api, customer="c")
    subscribe(api)
    use(api, 200)
    (first,) = progressive(api)
    assert (first["coupons_amount_cents"], first["taxes_amount_cents"], first["total_amount_cents"]) == (
        2000,
        3600,
        21600,
    )
    use(api, 200)
    api.at("2025-07-01T00:00:00Z")
    final = invoices(api)[-1]
    assert amounts(final)[:2] == (43100, 18000)
    # 25100 are left: 2510 of them are the coupon's, 310 + (2510 - 310 …) are shared by what the fees have left
    assert final["coupons_amount_cents"] == 2510
    assert final["sub_total_excluding_taxes_amount_cents"] == 22590
    assert final["total_amount_cents"] == 22590 + final["taxes_amount_cents"]


def test_drafts_show_the_credit(api: Api) -> None:
    shop(api, subscribed=False, usage_thresholds=THRESHOLDS)
    api.post("/customers", {"customer": {"external_id": "c", "billing_configuration": {"invoice_grace_period": 3}}})
    subscribe(api)
    use(api, 11000)
    assert progressive(api)[0]["status"] == "finalized"
    api.at("2025-07-01T00:00:00Z")
    (draft,) = [row for row in invoices(api) if row["status"] == "draft"]
    assert amounts(draft) == (3320, 220, 3100)
    draft = api.put(f"/invoices/{draft['lago_id']}/refresh")["invoice"]
    assert amounts(draft) == (3320, 220, 3100)
    api.at("2025-07-04T00:00:00Z")
    final = api.get(f"/invoices/{draft['lago_id']}")["invoice"]
    assert (final["status"], *amounts(final)) == ("finalized", 3320, 220, 3100)


def test_the_final_invoice_of_a_termination_takes_it_off(api: Api) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    use(api, 11000)
    api.at("2025-06-20T00:00:00Z")
    api.delete("/subscriptions/s")
    final = invoices(api)[-1]
    assert final["progressive_billing_credit_amount_cents"] == 220
    assert final["total_amount_cents"] == final["fees_amount_cents"] - 220


def test_only_usage_in_arrears_is_billed(api: Api) -> None:
    """Usage paid in advance counts for the thresholds, but is on invoices of its own."""
    api.at("2025-06-01T00:00:00Z")
    in_advance = charge(metric(api, "calls"), properties={"amount": "5"}, pay_in_advance=True)
    shop(api, price="1", more_charges=[in_advance], usage_thresholds=[{"amount_cents": 1000}])
    use(api, 6)
    assert progressive(api) == []
    use(api, 1, code="calls")
    (invoice,) = progressive(api)
    assert amounts(invoice) == (600, 0, 600)
    assert len(invoice["fees"]) == 1


def test_own_thresholds_come_first(api: Api) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    row = change(api, usage_thresholds=[{"amount_cents": 300, "threshold_display_name": "own"}])
    assert row["applicable_usage_thresholds"] == [
        {"threshold_display_name": "own", "amount_cents": 300, "recurring": False}
    ]
    assert row["plan"]["usage_thresholds"] != []
    use(api, 11000)
    assert progressive(api) == []
    use(api, 11000)
    assert [amounts(one) for one in progressive(api)] == [(440, 0, 440)]


def test_thresholds_that_come_later_look_at_the_usage_there_is(api: Api) -> None:
    shop(api)
    use(api, 11000)
    change(api, usage_thresholds=[{"amount_cents": 100}])
    api.at(api.now)
    assert [amounts(one) for one in progressive(api)] == [(220, 0, 220)]


def test_nothing_while_disabled(api: Api) -> None:
    shop(api, subscribed=False, usage_thresholds=THRESHOLDS)
    row = subscribe(api, progressive_billing_disabled=True)
    assert row["applicable_usage_thresholds"] == []
    use(api, 11000)
    assert progressive(api) == []
    change(api, progressive_billing_disabled=False)
    api.at(api.now)
    assert [amounts(one) for one in progressive(api)] == [(220, 0, 220)]


def test_many_events_at_once_make_one_invoice(api: Api) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    for number in range(30):
        event = {
            "transaction_id": f"t{number}",
            "external_subscription_id": "s",
            "code": "m",
            "properties": {"n": "1000"},
        }
        api.post("/events", {"event": event})
    api.at(api.now)
    assert [amounts(one) for one in progressive(api)] == [(600, 0, 600)]


def test_a_voided_invoice_is_not_made_again_for_the_same(api: Api) -> None:
    shop(api, usage_thresholds=THRESHOLDS)
    use(api, 11000)
    (first,) = progressive(api)
    api.post(f"/invoices/{first['lago_id']}/void")
    use(api, 1000)
    assert [row["status"] for row in progressive(api)] == ["voided"]
    use(api, 14000)
    assert [amounts(row) for row in progressive(api) if row["status"] == "finalized"] == [(520, 0, 520)]


def test_a_void_of_invoiced_usage_looks_again(api: Api) -> None:
    """Without the voided invoice the usage since then passes the threshold (subscriptions.md §5.2)."""
    shop(api)
    use(api, 30000)
    api.at("2025-07-01T00:00:00Z")
    use(api, 26000)
    change(api, usage_thresholds=[{"amount_cents": 500}])
    api.at(api.now)
    assert progressive(api) == []
    (june,) = invoices(api)
    api.post(f"/invoices/{june['lago_id']}/void")
    api.at(api.now)
    assert [amounts(row) for row in progressive(api)] == [(520, 0, 520)]


@pytest.mark.parametrize("moment", ["2025-06-10T00:00:00Z", "2025-07-01T00:00:00Z"])
def test_lifetime_goes_along_with_an_upgrade(api: Api, moment: str) -> None:
    """A fixed threshold is billed once in a life, whatever the plan is called meanwhile."""
    shop(api, usage_thresholds=[{"amount_cents": 200}])
    use(api, 11000)
    assert len(progressive(api)) == 1
    dearer = api.get("/plans/p")["plan"]["charges"][0]["lago_billable_metric_id"]
    body = {
        "name": "q",
        "code": "q",
        "interval": "monthly",
        "amount_cents": 9000,
        "amount_currency": "EUR",
        "charges": [
            {"billable_metric_id": dearer, "charge_model": "standard", "properties": {"amount": "0.0002"}},
        ],
        "usage_thresholds": [{"amount_cents": 200}],
    }
    api.post("/plans", {"plan": body})
    api.at(moment)
    api.put("/subscriptions/s/lifetime_usage", {"lifetime_usage": {"external_historical_usage_amount_cents": 7}})
    subscribe(api, "q")
    use(api, 11000)
    assert len(progressive(api)) == 1
    usage = api.get("/subscriptions/s/lifetime_usage")["lifetime_usage"]
    assert usage["external_historical_usage_amount_cents"] == 7
    assert usage["invoiced_usage_amount_cents"] == 220
    assert usage["current_usage_amount_cents"] == 220
    api.get("/subscriptions/s/lifetime_usage?subscription_status=terminated", 404)
