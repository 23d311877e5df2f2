"""Builders of payments over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api, Status


def pay(api: Api, invoice: dict[str, Any], cents: Any, status: Status = 200, **more: Any) -> dict[str, Any]:
    """A payment by hand, or the answer of a refusal."""
    body = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "wire", **more}
    made: dict[str, Any] = api.post("/payments", {"payment": body}, status)
    row: dict[str, Any] = made.get("payment", made)
    return row


def payments(api: Api, **params: Any) -> list[dict[str, Any]]:
    """The payments of the organization, the oldest first."""
    found: list[dict[str, Any]] = api.get("/payments", **params)["payments"]
    return found[::-1]
