"""What the database refuses about prepaid credits: raw SQL attacks every rule of wallets.sql and the CHECKs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.subscriptions import customer
from tests.support.wallets import move, wallet


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    """A wallet of 10 EUR, 4 of them voided."""
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    found = wallet(api, granted_credits="10")
    move(api, found, voided_credits="4")
    return found


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("update wallets set balance_cents = 700 where id = :id", "its top-ups have 600 left"),
        ("update wallets set balance_cents = -1 where id = :id", "not_negative"),
        ("update wallets set rate_amount = 2 where id = :id", "never change"),
        ("update wallets set currency = 'USD' where id = :id", "never change"),
        ("update wallet_transactions set amount_cents = 1 where wallet_id = :id", "it is what it is"),
        ("update wallet_transactions set status = 'failed' where wallet_id = :id", "it is what it is"),
        ("delete from wallet_transactions where wallet_id = :id", "cannot be deleted"),
        (
            "update wallet_transactions set remaining_amount_cents = 700 where wallet_id = :id"
            " and transaction_type = 'inbound'",
            "its top-ups have 700 left",
        ),
        ("update wallet_consumptions set amount_cents = 1", "never changes"),
        ("delete from wallet_consumptions", "never changes"),
    ],
)
async def test_wrong_money(installation: Installation, made: dict[str, Any], sql: str, reason: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with installation.database.begin() as tx:
            await tx.execute(text(sql), {"id": made["lago_id"]} if ":id" in sql else {})
    assert reason in str(refused.value.orig)


async def test_links_add_up(installation: Installation, made: dict[str, Any]) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with installation.database.begin() as tx:
            await tx.execute(
                text("""
                    insert into wallet_consumptions
                    select gen_random_uuid(), o.organization_id, i.id, o.id, 1, now()
                    from wallet_transactions i, wallet_transactions o
                    where i.wallet_id = :id and o.wallet_id = :id
                      and i.transaction_type = 'inbound' and o.transaction_type = 'inbound'
                """),
                {"id": made["lago_id"]},
            )
    assert "funded by a top-up of the same wallet" in str(refused.value.orig)
