"""Builders of coupons over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api, Status


def coupon_body(code: str = "c", **more: Any) -> dict[str, Any]:
    """The body of a coupon of 10 EUR, or of a percentage when a rate is given."""
    usual = {"name": code.title(), "code": code, "frequency": "once", "expiration": "no_expiration"}
    kind = (
        {"coupon_type": "percentage"}
        if "percentage_rate" in more
        else {"coupon_type": "fixed_amount", "amount_cents": 1000, "amount_currency": "EUR"}
    )
    return {**usual, **kind, **more}


def coupon(api: Api, code: str = "c", **more: Any) -> dict[str, Any]:
    """A coupon."""
    made: dict[str, Any] = api.post("/coupons", {"coupon": coupon_body(code, **more)})["coupon"]
    return made


def apply(api: Api, code: str = "c", customer: str = "cust", status: Status = 200, **more: Any) -> dict[str, Any]:
    """A coupon given to a customer, or the refusal."""
    body = {"external_customer_id": customer, "coupon_code": code, **more}
    made: dict[str, Any] = api.post("/applied_coupons", {"applied_coupon": body}, status)
    applied: dict[str, Any] = made.get("applied_coupon", made)
    return applied


def applied(api: Api, customer: str = "cust") -> list[dict[str, Any]]:
    """The applied coupons of a customer."""
    found: list[dict[str, Any]] = api.get(f"/customers/{customer}/applied_coupons")["applied_coupons"]
    return found
