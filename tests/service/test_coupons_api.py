"""Coupons and applied coupons over HTTP: shapes, rules, errors, lists and deletion (credits.md §1.1-1.3)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.catalog import charge, metric, plan, refused
from tests.support.coupons import applied, apply, coupon, coupon_body

NOW = "2025-01-01T00:00:00Z"


@pytest.fixture
def shop(api: Api) -> Api:
    """An organization with a customer."""
    api.at(NOW)
    api.post("/customers", {"customer": {"external_id": "cust"}})
    return api


# -- coupons -------------------------------------------------------------------------------------


def test_a_new_coupon_of_an_amount(shop: Api) -> None:
    made = coupon(shop, "gift", description="For you")
    assert made == {
        "lago_id": made["lago_id"],
        "name": "Gift",
        "code": "gift",
        "description": "For you",
        "coupon_type": "fixed_amount",
        "amount_cents": 1000,
        "amount_currency": "EUR",
        "percentage_rate": None,
        "frequency": "once",
        "frequency_duration": None,
        "reusable": True,
        "limited_plans": False,
        "plan_codes": [],
        "limited_billable_metrics": False,
        "billable_metric_codes": [],
        "created_at": NOW,
        "expiration": "no_expiration",
        "expiration_at": None,
        "terminated_at": None,
    }
    assert shop.get("/coupons/gift")["coupon"] == made


def test_a_new_coupon_of_a_percentage(shop: Api) -> None:
    made = coupon(shop, percentage_rate="12.3456789", frequency="recurring", frequency_duration=3, reusable=None)
    assert (made["percentage_rate"], made["amount_cents"], made["amount_currency"]) == ("12.34568", None, None)
    assert (made["frequency_duration"], made["reusable"]) == (3, True)
    assert coupon(shop, "much", percentage_rate=250)["percentage_rate"] == "250.0"


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": " ", "code": ""}, {"name": ["value_is_mandatory"], "code": ["value_is_mandatory"]}),
        ({"code": "x" * 256}, {"code": ["value_is_too_long"]}),
        ({"coupon_type": None}, {"coupon_type": ["value_is_mandatory"]}),
        ({"coupon_type": "half"}, {"coupon_type": ["value_is_invalid"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": 0}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": None}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"coupon_type": "percentage"}, {"percentage_rate": ["value_is_mandatory"]}),
        ({"coupon_type": "percentage", "percentage_rate": -1}, {"percentage_rate": ["value_is_out_of_range"]}),
        ({"coupon_type": "percentage", "percentage_rate": 10**5}, {"percentage_rate": ["value_is_out_of_range"]}),
        (
            {"coupon_type": "percentage", "percentage_rate": "99999.999999"},
            {"percentage_rate": ["value_is_out_of_range"]},
        ),
        ({"frequency": None}, {"frequency": ["value_is_mandatory"]}),
        ({"frequency": "twice"}, {"frequency": ["value_is_invalid"]}),
        ({"frequency": "recurring"}, {"frequency_duration": ["value_is_mandatory"]}),
        ({"frequency": "recurring", "frequency_duration": 0}, {"frequency_duration": ["value_is_out_of_range"]}),
        ({"expiration": None}, {"expiration": ["value_is_mandatory"]}),
        ({"expiration": "time_limit", "expiration_at": NOW}, {"expiration_at": ["invalid_date"]}),
        ({"expiration": "time_limit", "expiration_at": "soon"}, {"expiration_at": ["invalid_date"]}),
    ],
)
def test_what_is_refused(shop: Api, fields: dict[str, Any], errors: dict[str, list[str]]) -> None:
    assert refused(shop, "POST", "/coupons", {"coupon": {**coupon_body(), **fields}}) == errors


def test_codes_are_unique_among_those_not_deleted(shop: Api) -> None:
    coupon(shop)
    coupon(shop, "other")
    assert refused(shop, "POST", "/coupons", {"coupon": coupon_body()}) == {"code": ["value_already_exist"]}
    assert refused(shop, "PUT", "/coupons/other", {"coupon": {"code": "c"}}) == {"code": ["value_already_exist"]}
    shop.delete("/coupons/c")
    assert shop.get("/coupons/c", 404)["code"] == "coupon_not_found"
    assert shop.delete("/coupons/c", 404)["code"] == "coupon_not_found"
    coupon(shop)


def test_limits(shop: Api) -> None:
    calls, disk = metric(shop, "calls"), metric(shop, "disk")
    plan(shop, "basic", charges=[charge(calls, properties={"amount": "1"})])
    plan(shop, "pro")
    made = coupon(shop, "on-plans", applies_to={"plan_codes": ["pro", "basic"], "billable_metric_codes": []})
    assert (made["limited_plans"], made["limited_billable_metrics"]) == (True, False)
    assert sorted(made["plan_codes"]) == ["basic", "pro"]
    put = shop.put("/coupons/on-plans", {"coupon": {"name": "Renamed"}})["coupon"]
    assert (put["name"], sorted(put["plan_codes"])) == ("Renamed", ["basic", "pro"])
    put = shop.put("/coupons/on-plans", {"coupon": {"applies_to": {"billable_metric_codes": [disk["code"]]}}})["coupon"]
    assert (put["plan_codes"], put["billable_metric_codes"]) == ([], ["disk"])
    assert (put["limited_plans"], put["limited_billable_metrics"]) == (False, True)
    put = shop.put("/coupons/on-plans", {"coupon": {"applies_to": {"billable_metric_codes": []}}})["coupon"]
    assert (put["limited_plans"], put["limited_billable_metrics"]) == (False, False)

    def post(limits: dict[str, Any], status: int) -> Any:
        return shop.post("/coupons", {"coupon": coupon_body("x", applies_to=limits)}, status)["code"]

    assert post({"plan_codes": ["nope"]}, 404) == "plans_not_found"
    assert post({"billable_metric_codes": ["calls", "nope"]}, 404) == "billable_metrics_not_found"
    both = {"plan_codes": ["basic"], "billable_metric_codes": ["calls"]}
    assert post(both, 405) == "only_one_limitation_type_per_coupon_allowed"
    assert shop.put("/coupons/on-plans", {"coupon": {"applies_to": both}}, 405)["status"] == 405


def test_an_applied_coupon_keeps_its_amounts(shop: Api) -> None:
    coupon(shop, percentage_rate=10)
    assert shop.put("/coupons/c", {"coupon": {"percentage_rate": "20"}})["coupon"]["percentage_rate"] == "20.0"
    apply(shop)
    fields = {
        "name": "New",
        "description": "d",
        "code": "other",
        "percentage_rate": "30",
        "frequency": "forever",
        "reusable": False,
        "expiration": "time_limit",
        "expiration_at": "2025-03-01T00:00:00Z",
        "applies_to": {"plan_codes": ["unknown"]},
    }
    put = shop.put("/coupons/c", {"coupon": fields})["coupon"]
    assert (put["name"], put["description"], put["expiration_at"]) == ("New", "d", "2025-03-01T00:00:00Z")
    assert (put["code"], put["percentage_rate"], put["frequency"], put["reusable"]) == ("c", "20.0", "once", True)
    assert refused(shop, "PUT", "/coupons/c", {"coupon": {"name": None}}) == {"name": ["value_is_mandatory"]}


def test_nulls_of_an_update(shop: Api) -> None:
    coupon(shop, description="d", expiration="time_limit", expiration_at="2025-03-01T00:00:00Z")
    put = shop.put("/coupons/c", {"coupon": {"description": None, "expiration_at": None}})["coupon"]
    assert (put["description"], put["expiration_at"]) == (None, None)
    assert refused(shop, "PUT", "/coupons/c", {"coupon": {"reusable": None}}) == {"reusable": ["value_is_mandatory"]}


def test_the_order_of_coupons(shop: Api) -> None:
    coupon(shop, "ends", expiration="time_limit", expiration_at="2025-01-02T00:00:00Z")
    coupon(shop, "late", expiration="time_limit", expiration_at="2025-09-01T00:00:00Z")
    coupon(shop, "soon", expiration="time_limit", expiration_at="2025-08-01T00:00:00Z")
    coupon(shop, "old")
    shop.at("2025-01-03T00:00:00Z")
    coupon(shop, "new")
    listed = shop.get("/coupons")
    assert [row["code"] for row in listed["coupons"]] == ["new", "old", "soon", "late", "ends"]
    assert listed["meta"]["total_count"] == 5
    assert [row["code"] for row in shop.get("/coupons", per_page=2, page=2)["coupons"]] == ["soon", "late"]


def test_expiry_ends_the_coupon_and_not_what_was_applied(shop: Api) -> None:
    coupon(shop, expiration="time_limit", expiration_at="2025-01-10T12:00:00Z")
    apply(shop)
    shop.put("/coupons/c", {"coupon": {"expiration_at": "2025-01-20T12:00:00Z"}})
    shop.at("2025-01-20T11:59:59Z")
    assert shop.get("/coupons/c")["coupon"]["terminated_at"] is None
    shop.at("2025-02-01T00:00:00Z")
    assert shop.get("/coupons/c")["coupon"]["terminated_at"] == "2025-01-20T12:00:00Z"
    (row,) = applied(shop)
    assert (row["status"], row["coupon_status"], row["expiration_at"]) == (
        "active",
        "terminated",
        "2025-01-20T12:00:00Z",
    )
    assert apply(shop, status=404)["code"] == "coupon_not_found"


def test_a_coupon_that_no_longer_expires(shop: Api) -> None:
    coupon(shop, expiration="time_limit", expiration_at="2025-01-10T12:00:00Z")
    shop.put("/coupons/c", {"coupon": {"expiration": "no_expiration"}})
    shop.at("2025-02-01T00:00:00Z")
    assert shop.get("/coupons/c")["coupon"]["terminated_at"] is None


def test_deletion_ends_what_was_applied(shop: Api) -> None:
    plan(shop, "basic")
    made = coupon(shop, applies_to={"plan_codes": ["basic"]})
    apply(shop)
    shop.at("2025-01-05T00:00:00Z")
    assert shop.delete("/coupons/c")["coupon"] == made
    (row,) = applied(shop)
    assert (row["status"], row["terminated_at"]) == ("terminated", "2025-01-05T00:00:00Z")
    assert (row["coupon_deleted_at"], row["coupon_code"]) == ("2025-01-05T00:00:00Z", "c")
    assert shop.get("/coupons")["meta"]["total_count"] == 0


# -- applied coupons -----------------------------------------------------------------------------


def test_an_applied_coupon_copies_the_coupon(shop: Api) -> None:
    made = coupon(shop, description="d")
    row = apply(shop)
    assert row == {
        "lago_id": row["lago_id"],
        "lago_coupon_id": made["lago_id"],
        "coupon_code": "c",
        "coupon_name": "C",
        "coupon_description": "d",
        "coupon_status": "active",
        "coupon_deleted_at": None,
        "lago_customer_id": shop.get("/customers/cust")["customer"]["lago_id"],
        "external_customer_id": "cust",
        "status": "active",
        "amount_cents": 1000,
        "amount_cents_remaining": 1000,
        "amount_currency": "EUR",
        "percentage_rate": None,
        "frequency": "once",
        "frequency_duration": None,
        "frequency_duration_remaining": None,
        "created_at": NOW,
        "expiration_at": None,
        "terminated_at": None,
    }
    assert applied(shop) == [{**row, "credits": []}]


def test_terms_of_its_own(shop: Api) -> None:
    coupon(shop)
    row = apply(shop, amount_cents=500, amount_currency="USD", frequency="recurring", frequency_duration=4)
    assert (row["amount_cents"], row["amount_currency"], row["amount_cents_remaining"]) == (500, "USD", None)
    assert (row["frequency_duration"], row["frequency_duration_remaining"]) == (4, 4)
    coupon(shop, "p", percentage_rate="10", frequency="recurring", frequency_duration=2)
    row = apply(shop, "p", percentage_rate="15.5", frequency=None)
    assert (row["percentage_rate"], row["frequency_duration_remaining"]) == ("15.5", 2)
    row = apply(shop, "p", frequency="forever")
    assert (row["frequency"], row["frequency_duration_remaining"]) == ("forever", None)


def test_an_amount_gives_its_currency_to_the_customer(shop: Api) -> None:
    coupon(shop, "p", percentage_rate="10")
    apply(shop, "p")
    assert shop.get("/customers/cust")["customer"]["currency"] is None
    coupon(shop, "usd", amount_currency="USD")
    apply(shop, "usd")
    assert shop.get("/customers/cust")["customer"]["currency"] == "USD"
    coupon(shop, "eur")
    apply(shop, "eur")
    assert shop.get("/customers/cust")["customer"]["currency"] == "USD"


def test_who_cannot_have_a_coupon(shop: Api) -> None:
    coupon(shop, "single", reusable=False)
    assert apply(shop, "single", "nobody", 404)["code"] == "customer_not_found"
    assert apply(shop, "nope", status=404)["code"] == "coupon_not_found"
    assert (
        shop.post("/applied_coupons", {"applied_coupon": {"coupon_code": "single"}}, 404)["code"]
        == "customer_not_found"
    )
    assert shop.post("/applied_coupons", {"applied_coupon": {}}, 400)["status"] == 400
    row = apply(shop, "single")
    shop.delete(f"/customers/cust/applied_coupons/{row['lago_id']}")
    assert apply(shop, "single", status=422)["error_details"] == {"coupon": ["coupon_is_not_reusable"]}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
        ({"frequency": "recurring"}, {"frequency_duration": ["value_is_mandatory"]}),
        ({"frequency": "recurring", "frequency_duration": 0}, {"frequency_duration": ["value_is_out_of_range"]}),
        ({"frequency": "often"}, {"frequency": ["value_is_invalid"]}),
        ({"percentage_rate": -1}, {"percentage_rate": ["value_is_out_of_range"]}),
    ],
)
def test_terms_that_are_refused(shop: Api, fields: dict[str, Any], errors: dict[str, list[str]]) -> None:
    coupon(shop)
    assert apply(shop, status=422, **fields)["error_details"] == errors
    assert applied(shop) == []


def test_limited_coupons_do_not_overlap(shop: Api) -> None:
    calls, disk = metric(shop, "calls"), metric(shop, "disk")
    plan(shop, "basic", charges=[charge(calls, properties={"amount": "1"})])
    plan(shop, "pro", charges=[charge(disk, properties={"amount": "1"})])
    coupon(shop, "basic", applies_to={"plan_codes": ["basic"]})
    coupon(shop, "both", applies_to={"plan_codes": ["pro", "basic"]})
    coupon(shop, "calls", applies_to={"billable_metric_codes": ["calls"]})
    coupon(shop, "disk", applies_to={"billable_metric_codes": ["disk"]})
    coupon(shop, "all")
    row = apply(shop, "basic")
    for code in ("basic", "both", "calls"):
        assert apply(shop, code, status=405)["code"] == "plan_overlapping"
    apply(shop, "disk")
    assert apply(shop, "disk", status=405)["code"] == "plan_overlapping"
    apply(shop, "all")
    apply(shop, "all")
    shop.delete(f"/customers/cust/applied_coupons/{row['lago_id']}")
    apply(shop, "calls")
    assert apply(shop, "basic", status=405)["code"] == "plan_overlapping"


def test_lists_and_filters(shop: Api) -> None:
    shop.post("/customers", {"customer": {"external_id": "second"}})
    for code in ("a", "b"):
        coupon(shop, code)
    first = apply(shop, "a")
    shop.at("2025-01-02T00:00:00Z")
    apply(shop, "b")
    apply(shop, "b", "second")
    shop.delete(f"/customers/cust/applied_coupons/{first['lago_id']}")

    def listed(path: str = "/applied_coupons") -> list[tuple[str, str]]:
        rows = shop.get(path)["applied_coupons"]
        return [(row["external_customer_id"], row["coupon_code"]) for row in rows]

    assert sorted(listed()) == [("cust", "a"), ("cust", "b"), ("second", "b")]
    assert listed()[-1] == ("cust", "a")
    assert listed("/applied_coupons?external_customer_id=cust") == [("cust", "b"), ("cust", "a")]
    assert listed("/applied_coupons?status=terminated") == [("cust", "a")]
    assert len(listed("/applied_coupons?status=unknown")) == 3
    assert listed("/applied_coupons?coupon_code[]=a&coupon_code[]=none") == [("cust", "a")]
    assert listed("/customers/cust/applied_coupons?coupon_code[]=b") == [("cust", "b")]
    assert listed("/customers/cust/applied_coupons?status=active") == [("cust", "b")]
    assert shop.get("/customers/nobody/applied_coupons", 404)["code"] == "customer_not_found"
    assert shop.get("/applied_coupons", per_page=2)["meta"]["total_pages"] == 2


def test_ending_by_hand(shop: Api) -> None:
    shop.post("/customers", {"customer": {"external_id": "second"}})
    coupon(shop)
    row = apply(shop)
    shop.at("2025-01-04T00:00:00Z")
    ended = shop.delete(f"/customers/cust/applied_coupons/{row['lago_id']}")["applied_coupon"]
    assert (ended["status"], ended["terminated_at"]) == ("terminated", "2025-01-04T00:00:00Z")
    shop.at("2025-01-05T00:00:00Z")
    assert shop.delete(f"/customers/cust/applied_coupons/{row['lago_id']}")["applied_coupon"] == ended
    for customer, applied_id in (("second", row["lago_id"]), ("cust", str(uuid.uuid4())), ("cust", "x")):
        code = shop.delete(f"/customers/{customer}/applied_coupons/{applied_id}", 404)["code"]
        assert code == "applied_coupon_not_found"
    assert shop.delete(f"/customers/nobody/applied_coupons/{row['lago_id']}", 404)["code"] == "customer_not_found"


def test_a_deleted_customer_has_no_coupons(shop: Api) -> None:
    coupon(shop)
    apply(shop)
    shop.delete("/customers/cust")
    assert shop.get("/applied_coupons")["applied_coupons"] == []


def test_account_type_is_fixed_by_an_applied_amount(shop: Api) -> None:
    coupon(shop)
    apply(shop)
    body = {"external_id": "cust", "account_type": "partner"}
    assert shop.post("/customers", {"customer": body})["customer"]["account_type"] == "customer"
