"""Builders of plans with fixed charges and commitments, and the fees they lead to, over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api
from tests.support.billing import add_on
from tests.support.catalog import plan


def fixed(units: str | int = 10, price: str = "10", **more: Any) -> dict[str, Any]:
    """The body of a fixed charge on the add-on `seat`."""
    return {"add_on_code": "seat", "charge_model": "standard", "units": units, "properties": {"amount": price}, **more}


def shop(api: Api, *charges: dict[str, Any], code: str = "p", **more: Any) -> dict[str, Any]:
    """An add-on `seat` and a free monthly plan with these fixed charges."""
    if not api.get("/add_ons")["add_ons"]:
        add_on(api, "seat", 1000)
    return plan(api, code, **{"amount_cents": 0, "fixed_charges": list(charges), **more})


def lines(invoice: dict[str, Any], kind: str = "fixed_charge") -> list[tuple[str, int]]:
    """(units, cents) of the fees of a kind."""
    return [(fee["units"], fee["amount_cents"]) for fee in invoice["fees"] if fee["item"]["type"] == kind]


def cents(invoice: dict[str, Any], kind: str) -> list[int]:
    """The amounts of the fees of a kind."""
    return [fee["amount_cents"] for fee in invoice["fees"] if fee["item"]["type"] == kind]
