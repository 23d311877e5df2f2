"""Builders of wallets over HTTP, and what is read of them."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api


def body(of: str = "c", **more: Any) -> dict[str, Any]:
    """The body of a wallet at 1 EUR for a credit."""
    return {"wallet": {"external_customer_id": of, "currency": "EUR", "rate_amount": "1", **more}}


def wallet(api: Api, of: str = "c", **more: Any) -> dict[str, Any]:
    """A wallet with its first credits."""
    made = api.post("/wallets", body(of, **more))["wallet"]
    return again(api, made)


def again(api: Api, of: dict[str, Any]) -> dict[str, Any]:
    """The wallet as it is now."""
    found: dict[str, Any] = api.get(f"/wallets/{of['lago_id']}")["wallet"]
    return found


def moves(api: Api, of: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    """The transactions of a wallet, newest first."""
    found: list[dict[str, Any]] = api.get(f"/wallets/{of['lago_id']}/wallet_transactions", **params)[
        "wallet_transactions"
    ]
    return found


def move(api: Api, of: dict[str, Any], status: int = 200, **fields: Any) -> Any:
    """New transactions of a wallet, or why they are refused."""
    made = api.post("/wallet_transactions", {"wallet_transaction": {"wallet_id": of["lago_id"], **fields}}, status)
    return made["wallet_transactions"] if status == 200 else made["error_details"]
