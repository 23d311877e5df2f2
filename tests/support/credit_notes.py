"""Builders of credit notes over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api, Status

Fee = dict[str, Any]


def note_body(invoice: dict[str, Any], *items: tuple[Fee, Any], **more: Any) -> dict[str, Any]:
    """The body of a note over amounts of fees."""
    asked = [{"fee_id": fee["lago_id"], "amount_cents": cents} for fee, cents in items]
    return {"credit_note": {"invoice_id": invoice["lago_id"], "items": asked, **more}}


def note(
    api: Api, invoice: dict[str, Any], *items: tuple[Fee, Any], status: Status = 200, **more: Any
) -> dict[str, Any]:
    """A note, or the answer of a refusal."""
    made: dict[str, Any] = api.post("/credit_notes", note_body(invoice, *items, **more), status)
    row: dict[str, Any] = made.get("credit_note", made)
    return row


def notes(api: Api, **params: Any) -> list[dict[str, Any]]:
    """The notes of the organization, the oldest first."""
    found: list[dict[str, Any]] = api.get("/credit_notes", **params)["credit_notes"]
    return found[::-1]


def tax(api: Api, rate: int = 20, code: str = "vat") -> dict[str, Any]:
    """A tax on everything."""
    body = {"code": code, "name": code, "rate": str(rate), "applied_to_organization": True}
    made: dict[str, Any] = api.post("/taxes", {"tax": body})["tax"]
    return made
