"""Builders of add-ons, one-off invoices and drafts over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api, Status
from tests.support.subscriptions import customer, subscribe

GRACE: dict[str, Any] = {"billing_configuration": {"invoice_grace_period": 3}}


def add_on(api: Api, code: str = "setup", cents: int = 15000, **more: Any) -> dict[str, Any]:
    """An add-on."""
    body = {"name": code, "code": code, "amount_cents": cents, "amount_currency": "EUR", **more}
    made: dict[str, Any] = api.post("/add_ons", {"add_on": body})["add_on"]
    return made


def bill_once(
    api: Api, lines: list[dict[str, Any]] | None = None, of: str = "c", status: Status = 200, **more: Any
) -> dict[str, Any]:
    """A one-off invoice of these lines, of one `setup` by default; or the answer of a refusal."""
    body = {"external_customer_id": of, "currency": "EUR", "fees": lines or [{"add_on_code": "setup"}], **more}
    made: dict[str, Any] = api.post("/invoices", {"invoice": body}, status)
    row: dict[str, Any] = made.get("invoice", made)
    return row


def invoices(api: Api, of: str = "c", **params: Any) -> list[dict[str, Any]]:
    """All invoices of a customer with their fees, oldest first."""
    rows = api.get("/invoices", external_customer_id=of, per_page=100, **params)["invoices"]
    full: list[dict[str, Any]] = [api.get(f"/invoices/{row['lago_id']}")["invoice"] for row in rows]
    return sorted(full, key=lambda row: (row["created_at"], row["sequential_id"] or 0))


def one_invoice(api: Api, of: str = "c") -> dict[str, Any]:
    """The only invoice of a customer."""
    (row,) = invoices(api, of)
    return row


def drafted(api: Api, plan: str = "p", until: str = "2025-07-01T06:00:00Z", **of: Any) -> dict[str, Any]:
    """The draft of June of a customer that subscribed to the plan on the first of June; `of`: its settings."""
    api.at("2025-06-01T00:00:00Z")
    customer(api, currency="EUR", **{**GRACE, **of})
    subscribe(api, plan)
    api.at(until)
    return one_invoice(api)
