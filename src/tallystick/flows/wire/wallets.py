"""Wire JSON of wallets and their transactions with the custom sections they selected, and of their messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from tallystick.ground.db import Tx
from tallystick.ground.tables import Wallet, WalletTransaction
from tallystick.rooms.custom_sections import store as section_store
from tallystick.rooms.custom_sections import views as section_views
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.wallets import views

Wire = dict[str, Any]
SECTIONS = "applied_invoice_custom_sections"


async def wallets(tx: Tx, rows: Sequence[Wallet]) -> list[Wire]:
    """Wallets as answers carry them. There are no recurring rules yet."""
    bodies = await views.wallets(tx, rows)
    selected = await section_store.of_owners(tx, Owner.WALLET, [row.id for row in rows])
    for row, body in zip(rows, bodies, strict=True):
        body["recurring_transaction_rules"] = []
        body[SECTIONS] = section_views.selected(selected.get(row.id, []))
    return bodies


async def shown_transaction(tx: Tx, row: WalletTransaction) -> Wire:
    """One transaction; only here its custom sections are shown."""
    (body,) = await views.transactions(tx, [row])
    selected = await section_store.of_owners(tx, Owner.WALLET_TRANSACTION, [row.id])
    return {**body, SECTIONS: section_views.selected(selected.get(row.id, []))}


async def wallets_of_messages(tx: Tx, rows: Sequence[Wallet]) -> list[Wire]:
    """Wallets as `wallet.created`, `wallet.updated` and `wallet.terminated` carry them (webhooks.md §4.17)."""
    bodies = await views.wallets(tx, rows, limits=False)
    return [{**body, "recurring_transaction_rules": []} for body in bodies]


async def transactions_of_messages(tx: Tx, rows: Sequence[WalletTransaction]) -> list[Wire]:
    """Transactions with their wallets, which come without rules (webhooks.md §4.18)."""
    ids = {row.wallet_id for row in rows}
    owned = list(await tx.scalars(select(Wallet).where(Wallet.id.in_(ids))))
    bodies = dict(zip((row.id for row in owned), await views.wallets(tx, owned, limits=False), strict=True))
    own = await views.transactions(tx, rows)
    return [{**body, "wallet": bodies[row.wallet_id]} for row, body in zip(rows, own, strict=True)]
