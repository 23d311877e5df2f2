"""Credit notes of invoices for prepaid credits: a refund voids the credits it pays back (credits.md §3.3, §3.10)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.core.credit_note import NoteItem
from tallystick.core.wallets import consumed
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotAllowed
from tallystick.ground.tables import Wallet, WalletTransaction
from tallystick.rooms.wallets import ledger
from tallystick.rooms.wallets.ledger import Movement


@dataclass(frozen=True, slots=True)
class Purchase:
    """What an invoice sold, and the wallet it went to; its customer is locked."""

    wallet: Wallet
    transaction: WalletTransaction

    def check(self, items: Sequence[NoteItem]) -> None:
        """422 `higher_than_wallet_balance` for more of paid credits than is left of them."""
        left = self.transaction.remaining_amount_cents
        if left is not None and sum(item.amount_cents for item in items) > left:
            raise Invalid.field("amount_cents", "higher_than_wallet_balance")

    async def void(self, tx: Tx, cents: int, credit_note_id: uuid.UUID, at: dt.datetime) -> None:
        """A note pays this much back: the purchase's credits go."""
        wallet = self.wallet
        movement = Movement(
            wallet.organization_id,
            wallet.id,
            "voided",
            consumed(cents, wallet.rate_amount, wallet.currency),
            at,
            links=[(self.transaction.id, cents)],
            credit_note_id=credit_note_id,
        )
        await ledger.record(tx, [movement])


async def purchase_of(tx: Tx, invoice_id: uuid.UUID) -> Purchase:
    """The purchase that an invoice asks for; 405 `invalid_type_or_status` once its wallet is terminated."""
    found = await ledger.purchase(tx, invoice_id)
    if found is None or found[0].status != "active":
        raise NotAllowed("invalid_type_or_status")
    return Purchase(*found)
