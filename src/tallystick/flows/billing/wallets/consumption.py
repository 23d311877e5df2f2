"""Wallets in the billing pipeline: loaded for a set of customers, used up invoice by invoice, stored with the invoices.

Which wallet pays what is decided in core/wallets; drafts and one-off invoices are never paid (credits.md §0.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from tallystick.core.contract import Contract
from tallystick.core.invoice import NO_PURSE, Composition
from tallystick.core.wallets import AvailableWallet, Purse
from tallystick.ground.db import Tx
from tallystick.rooms.invoices.ledger import Document
from tallystick.rooms.wallets import ledger
from tallystick.rooms.wallets.ledger import Movement


class Purses:
    """The wallets of a set of customers; each invoice finds them as the one before left them."""

    def __init__(self, found: Mapping[UUID, Sequence[AvailableWallet]]) -> None:
        self._left = {customer: {wallet.id: wallet for wallet in wallets} for customer, wallets in found.items()}

    def purse(self, customer_id: UUID, currency: str, metric_of: Mapping[UUID, UUID]) -> Purse:
        """What may pay an invoice of the customer in this currency; `metric_of`: charge -> metric."""
        left = self._left.get(customer_id)
        if not left:
            return NO_PURSE
        return Purse(tuple(wallet for wallet in left.values() if wallet.currency == currency), metric_of)

    def use(self, customer_id: UUID, composition: Composition) -> None:
        """The invoice that was composed with `purse` takes what it took."""
        for payment in composition.prepaid:
            left = self._left[customer_id]
            left[payment.wallet_id] = left[payment.wallet_id].after(payment)


async def load_purses(tx: Tx, customer_ids: Iterable[UUID]) -> Purses:
    """The wallets of these locked customers, in three queries."""
    return Purses(await ledger.available(tx, customer_ids))


def metrics_of(contracts: Iterable[Contract]) -> dict[UUID, UUID]:
    """charge -> metric."""
    return {charge.id: charge.metric.id for contract in contracts for charge in contract.plan.charges}


async def take_prepaid(tx: Tx, documents: Sequence[Document]) -> None:
    """What wallets paid of these invoices leaves them; told of before the invoices are (webhooks.md §2.2, 15)."""
    movements = [
        Movement(
            document.organization_id,
            payment.wallet_id,
            "invoiced",
            payment.worth,
            document.written_at,
            links=[(funding.id, cents) for funding, cents in payment.links],
            invoice_id=document.id,
        )
        for document in documents
        for payment in document.composition.prepaid
    ]
    await ledger.record(tx, movements)
