"""Charges priced in units other than money, from the plan to every place that shows their fees (rating.md §15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import advance
from tests.support.api import Api
from tests.support.billing import GRACE, invoices, one_invoice
from tests.support.catalog import charge, metric, plan, plan_body, refused
from tests.support.subscriptions import customer, subscribe


def unit(api: Api, code: str = "tokens", **more: Any) -> dict[str, Any]:
    """A pricing unit."""
    body = {"code": code, "name": code.title(), "short_name": "TK", **more}
    made: dict[str, Any] = api.post("/pricing_units", {"pricing_unit": body})["pricing_unit"]
    return made


def in_units(rate: Any = "0.5", code: str = "tokens") -> dict[str, Any]:
    return {"applied_pricing_unit": {"code": code, "conversion_rate": rate}}


def charged(api: Api, of: str = "c") -> list[dict[str, Any]]:
    """The usage fees of a customer's only invoice."""
    return [fee for fee in one_invoice(api, of)["fees"] if fee["item"]["type"] == "charge"]


def test_pricing_units_have_routes_of_their_own(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    made = unit(api, description="Credits")
    assert made == {
        "lago_id": made["lago_id"],
        "code": "tokens",
        "name": "Tokens",
        "short_name": "TK",
        "description": "Credits",
        "created_at": "2025-06-01T00:00:00Z",
    }
    api.at("2025-06-02T00:00:00Z")
    unit(api, "credits", short_name="CR")
    listed = api.get("/pricing_units", per_page=1)
    assert [row["code"] for row in listed["pricing_units"]] == ["credits"]
    assert listed["meta"]["total_count"] == 2
    changed = api.put(
        "/pricing_units/tokens", {"pricing_unit": {"short_name": "TOK", "code": "x", "description": None}}
    )
    assert changed["pricing_unit"] == {**made, "short_name": "TOK", "description": None}
    assert api.get("/pricing_units/tokens")["pricing_unit"] == changed["pricing_unit"]
    assert api.get("/pricing_units/x", status=404)["code"] == "pricing_unit_not_found"


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            {"description": "d"},
            {"code": ["value_is_mandatory"], "name": ["value_is_mandatory"], "short_name": ["value_is_mandatory"]},
        ),
        ({"code": "c", "name": "n", "short_name": "ABCD"}, {"short_name": ["value_is_too_long"]}),
        (
            {"code": "c", "name": "n", "short_name": "A", "description": "d" * 601},
            {"description": ["value_is_too_long"]},
        ),
        ({"code": "taken", "name": "n", "short_name": "A"}, {"code": ["value_already_exist"]}),
    ],
)
def test_what_a_pricing_unit_must_have(api: Api, body: dict[str, Any], problems: dict[str, list[str]]) -> None:
    unit(api, "taken")
    assert refused(api, "POST", "/pricing_units", {"pricing_unit": body}) == problems


def test_only_the_rate_of_a_charge_changes(api: Api) -> None:
    counted = metric(api)
    unit(api)
    unit(api, "credits")
    sold = charge(counted, properties={"amount": "1"}, **in_units("0.50"))
    made = plan(api, charges=[sold, charge(counted, properties={"amount": "1"})])
    first, second = made["charges"]
    assert first["applied_pricing_unit"] == {"conversion_rate": "0.5", "code": "tokens"}
    assert second["applied_pricing_unit"] is None
    for code, asked, expected in (
        (first["code"], in_units("2", "credits"), {"conversion_rate": "2.0", "code": "tokens"}),
        (first["code"], {"applied_pricing_unit": None}, {"conversion_rate": "2.0", "code": "tokens"}),
        (second["code"], in_units(), None),
    ):
        assert api.put(f"/plans/p/charges/{code}", {"charge": asked})["charge"]["applied_pricing_unit"] == expected
    problems = refused(api, "PUT", f"/plans/p/charges/{first['code']}", {"charge": in_units("0")})
    assert problems == {"conversion_rate": ["value_is_out_of_range"]}
    for rate, code in (("-1", "value_is_out_of_range"), ("x", "value_is_out_of_range"), (None, "value_is_mandatory")):
        body = {"plan": plan_body("q", charges=[charge(counted, properties={"amount": "1"}, **in_units(rate))])}
        assert refused(api, "POST", "/plans", body) == {"conversion_rate": [code]}


#: amount, units, rate, currency -> hundredths of the unit (rounded, exact, cut price), cents (rounded, exact, price)
WORKED = [
    ("1", "300", "0.5", "USD", (30000, "30000.0", 100, "1.0"), (15000, "150.0", "0.5")),
    ("0.004", "1", "0.5", "USD", (0, "0.4", 0, "0.004"), (0, "0.0", "0.002")),
    ("0.335", "3", "0.333333", "USD", (101, "100.5", 33, "0.335"), (34, "0.33666633", "0.111666555")),
    ("2.11", "5", "110", "JPY", (1055, "1055.0", 211, "2.11"), (1161, "1160.5", "232.1")),
    ("2.345", "1", "1", "EUR", (235, "234.5", 234, "2.345"), (235, "2.35", "2.345")),
    ("2.345", "1", "0.1", "KWD", (235, "234.5", 234, "2.345"), (235, "0.235", "0.2345")),
]


def test_worked_examples_in_arrears_and_in_advance(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    summed = metric(api, "m", "sum_agg", field_name="n")
    unit(api)
    for place, (amount, units, rate, currency, _, _) in enumerate(WORKED):
        for name, paid in (("late", False), ("soon", True)):
            key = f"{name}-{place}"
            sold = charge(summed, properties={"amount": amount}, pay_in_advance=paid, **in_units(rate))
            plan(api, key, amount_cents=0, amount_currency=currency, charges=[sold])
            customer(api, key, currency=currency)
            subscribe(api, key, key, key)
            advance.send(api, units, of=key, settled=False)
    usages = [_usage(api, f"late-{place}") for place in range(len(WORKED))]
    api.at("2025-07-01T01:00:00Z")
    for place, (_, _, rate, _, hundredths, cents) in enumerate(WORKED):
        details = {
            **dict(zip(("amount_cents", "precise_amount_cents"), hundredths, strict=False)),
            **dict(zip(("unit_amount_cents", "precise_unit_amount"), hundredths[2:], strict=True)),
            "pricing_unit_code": "tokens",
            "short_name": "TK",
            "conversion_rate": rate if "." in rate else f"{rate}.0",
        }
        for name in ("late", "soon"):
            (fee,) = advance.fees(api, external_customer_id=f"{name}-{place}")
            found = {**fee["pricing_unit_details"]}
            assert found.pop("lago_pricing_unit_id")
            if name == "soon":  # the price of a unit comes from the rounded amount (rating.md §12)
                details["precise_unit_amount"] = found["precise_unit_amount"]
                details["unit_amount_cents"] = found["unit_amount_cents"]
            assert found == details
            assert (fee["amount_cents"], fee["precise_amount"]) == cents[:2]
            if name == "late":
                assert fee["precise_unit_amount"] == cents[2]
        assert usages[place]["amount_cents"] == cents[0]
        assert usages[place]["pricing_unit_details"] == {
            "amount_cents": hundredths[0],
            "short_name": "TK",
            "conversion_rate": details["conversion_rate"],
        }


def _usage(api: Api, of: str, which: str = "current") -> dict[str, Any]:
    answer = api.get(f"/customers/{of}/{which}_usage", external_subscription_id=of)
    found: dict[str, Any] = next(iter(answer.values()))["charges_usage"][0]
    return found


def test_a_minimum_counts_in_the_pricing_unit(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    summed = metric(api, "m", "sum_agg", field_name="n")
    unit(api)
    plan(
        api,
        amount_cents=0,
        charges=[charge(summed, properties={"amount": "1"}, min_amount_cents=1000, **in_units("0.25"))],
    )
    customer(api, currency="EUR")
    subscribe(api)
    advance.send(api, "7")
    api.at("2025-07-01T01:00:00Z")
    used, missing = charged(api)
    assert (used["amount_cents"], used["pricing_unit_details"]["amount_cents"]) == (175, 700)
    assert missing["lago_true_up_parent_fee_id"] == used["lago_id"]
    assert (missing["amount_cents"], missing["precise_unit_amount"]) == (75, "0.75")
    assert missing["pricing_unit_details"]["amount_cents"] == 300
    assert missing["pricing_unit_details"]["precise_unit_amount"] == "3.0"
    told = api.get(f"/fees/{missing['lago_id']}/explain")["explanation"]
    assert "one tokens costs 0.25" in str(told)


def test_new_rates_reach_drafts_and_overrides_but_no_issued_fee(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    summed = metric(api, "m", "sum_agg", field_name="n")
    unit(api)
    made = plan(api, amount_cents=0, charges=[charge(summed, properties={"amount": "1"}, **in_units("0.5"))])
    code = made["charges"][0]["code"]
    customer(api, currency="EUR", **GRACE)
    subscribe(api)
    own = {"applied_pricing_unit": {"conversion_rate": "4"}}
    for name, overrides in (
        ("same", {"name": "own"}),
        ("own", {"charges": [{"id": made["charges"][0]["lago_id"], **own}]}),
    ):
        customer(api, name, currency="EUR")
        subscribe(api, "p", name, name, plan_overrides=overrides)
    for name in ("s", "same", "own"):
        advance.send(api, "10", of=name, settled=False)
    api.at("2025-07-01T06:00:00Z")
    assert [charged(api, of)[0]["amount_cents"] for of in ("c", "same", "own")] == [500, 500, 4000]
    api.put(f"/plans/p/charges/{code}", {"charge": {**in_units("0.75"), "cascade_updates": True}})
    api.at("2025-07-05T00:00:00Z")
    assert one_invoice(api)["status"] == "finalized"
    (fee,) = charged(api)
    assert (fee["amount_cents"], fee["pricing_unit_details"]["conversion_rate"]) == (750, "0.75")
    assert charged(api, "same")[0]["pricing_unit_details"]["conversion_rate"] == "0.5"
    for name, rate in (("same", "0.75"), ("own", "4.0")):
        (row,) = api.get(f"/subscriptions/{name}/charges")["charges"]
        assert row["applied_pricing_unit"] == {"conversion_rate": rate, "code": "tokens"}


def test_projections_estimates_and_past_usage_speak_of_the_unit(api: Api) -> None:
    api.at("2025-06-01T00:00:00Z")
    summed = metric(api, "m", "sum_agg", field_name="n")
    unit(api)
    prices = {"properties": {"amount": "1"}, **in_units("0.5")}
    plan(
        api,
        amount_cents=0,
        charges=[charge(summed, code="late", **prices), charge(summed, code="soon", pay_in_advance=True, **prices)],
    )
    customer(api, currency="EUR")
    subscribe(api, external_id="c")
    api.at("2025-06-10T12:00:00Z")
    event = {"transaction_id": "t", "external_subscription_id": "c", "code": "m", "properties": {"n": "4"}}
    (exact,) = api.post("/events/estimate_fees", {"event": event})["fees"]
    assert (exact["amount_cents"], exact["pricing_unit_details"]["amount_cents"]) == (200, 400)
    (instant,) = api.post("/events/estimate_instant_fees", {"event": event})["fees"]
    assert (instant["amount_cents"], instant["precise_amount"]) == (200, "2.0")
    api.post("/events", {"event": event})
    api.at("2025-06-10T13:00:00Z")
    assert _usage(api, "c", "projected")["pricing_unit_details"] == {
        "amount_cents": 400,
        "short_name": "TK",
        "conversion_rate": "0.5",
        "projected_amount_cents": 1200,
    }
    api.at("2025-07-01T01:00:00Z")
    assert sum(one["total_amount_cents"] for one in invoices(api)) == 400
    (latest, *_) = api.get("/customers/c/past_usage", external_subscription_id="c")["usage_periods"]
    assert latest["charges_usage"][0]["pricing_unit_details"]["amount_cents"] == 400
