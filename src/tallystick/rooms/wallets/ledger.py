"""Movements of wallets: the only writer of transactions, of what funded them, and of balances (wallets.md §3, §5).

Customers are locked by the caller. What a movement is worth was decided before.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import select, text, update

from tallystick.core.wallets import AvailableWallet, Funding, Worth
from tallystick.ground import json, outbox
from tallystick.ground.db import Tx, copy
from tallystick.ground.ids import new_id
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Wallet, WalletTarget, WalletTransaction

Row = dict[str, Any]
#: (top-up, what it gives)
Links = Sequence[tuple[uuid.UUID, int]]
MANUAL, LAST = "manual", 50


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request may say of a top-up."""

    source: str = MANUAL
    priority: int = LAST
    name: str | None = None
    metadata: Sequence[dict[str, Any]] = ()
    billing_entity_id: uuid.UUID | None = None
    purchase_order_number: str | None = None
    invoice_requires_successful_payment: bool = False
    payment_method_type: str = "provider"
    skip_invoice_custom_sections: bool = False


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Movement:
    """A transaction before it is stored; `kind` is its `transaction_status`. Outbound ones say what funds them."""

    organization_id: uuid.UUID
    wallet_id: uuid.UUID
    kind: str
    worth: Worth
    at: dt.datetime
    links: Links = ()
    terms: Terms = NO_TERMS
    invoice_id: uuid.UUID | None = None
    voided_invoice_id: uuid.UUID | None = None
    credit_note_id: uuid.UUID | None = None
    id: uuid.UUID = field(default_factory=new_id)

    @property
    def inbound(self) -> bool:
        return self.kind in ("purchased", "granted")

    @property
    def settled(self) -> bool:
        """Purchases wait for their payment."""
        return self.kind != "purchased"


async def record(tx: Tx, movements: Sequence[Movement]) -> None:
    """Store movements, move the balances of their wallets, and tell of both (webhooks.md §2.2, 72 and 74)."""
    if not movements:
        return
    await copy(tx, "wallet_transactions", [_transaction(one) for one in movements])
    links = [(one, top_up, cents) for one in movements for top_up, cents in one.links]
    await copy(tx, "wallet_consumptions", [_link(*link) for link in links])
    await _take(tx, links)
    await _move(tx, [Change.of(one) for one in movements if one.settled])
    messages = []
    for one in movements:
        if one.settled:
            messages.append(Message(one.organization_id, "wallet.updated", one.wallet_id, one.at))
        if one.credit_note_id is None:  # the note tells of itself
            messages.append(Message(one.organization_id, "wallet_transaction.created", one.id, one.at))
    await outbox.emit(tx, messages)


def _transaction(one: Movement) -> Row:
    terms = one.terms
    return {
        "id": one.id,
        "organization_id": one.organization_id,
        "wallet_id": one.wallet_id,
        "transaction_type": "inbound" if one.inbound else "outbound",
        "transaction_status": one.kind,
        "status": "settled" if one.settled else "pending",
        "source": terms.source,
        "amount_cents": one.worth.amount_cents,
        "credit_amount": one.worth.credit_amount,
        "remaining_amount_cents": one.worth.amount_cents if one.inbound and one.settled else None,
        "priority": terms.priority,
        "name": terms.name,
        "metadata": json.dump_text(list(terms.metadata)),
        "invoice_id": one.invoice_id,
        "voided_invoice_id": one.voided_invoice_id,
        "credit_note_id": one.credit_note_id,
        "billing_entity_id": terms.billing_entity_id,
        "purchase_order_number": terms.purchase_order_number,
        "invoice_requires_successful_payment": terms.invoice_requires_successful_payment,
        "payment_method_type": terms.payment_method_type,
        "skip_invoice_custom_sections": terms.skip_invoice_custom_sections,
        "settled_at": one.at if one.settled else None,
        "created_at": one.at,
        "updated_at": one.at,
    }


def _link(one: Movement, top_up: uuid.UUID, cents: int) -> Row:
    return {
        "id": new_id(),
        "organization_id": one.organization_id,
        "inbound_id": top_up,
        "outbound_id": one.id,
        "amount_cents": cents,
        "created_at": one.at,
    }


async def _take(tx: Tx, links: Iterable[tuple[Movement, uuid.UUID, int]]) -> None:
    """The top-ups have less left."""
    taken: dict[uuid.UUID, int] = {}
    for _, top_up, cents in links:
        taken[top_up] = taken.get(top_up, 0) + cents
    if taken:
        await tx.execute(_TAKE, {"ids": list(taken), "cents": list(taken.values())})


_TAKE = text("""
    update wallet_transactions t set remaining_amount_cents = t.remaining_amount_cents - u.cents
    from unnest(cast(:ids as uuid[]), cast(:cents as bigint[])) as u(id, cents)
    where t.id = u.id
""")


class Change(NamedTuple):
    """By how much a balance moves; what goes out counts as consumed, whatever it was for."""

    wallet_id: uuid.UUID
    cents: int
    credits: Decimal
    consumed_cents: int
    consumed_credits: Decimal
    at: dt.datetime

    @classmethod
    def of(cls, one: Movement) -> Change:
        """What a settled movement does."""
        cents, credits = one.worth.amount_cents, one.worth.credit_amount
        if one.inbound:
            return cls(one.wallet_id, cents, credits, 0, Decimal(0), one.at)
        return cls(one.wallet_id, -cents, -credits, cents, credits, one.at)


async def _move(tx: Tx, changes: Sequence[Change]) -> None:
    if changes:
        await tx.execute(_MOVE, {name: [getattr(one, name) for one in changes] for name in Change._fields})


_MOVE = text("""
    update wallets w
    set balance_cents = w.balance_cents + u.cents,
        credits_balance = w.credits_balance + u.credits,
        consumed_amount_cents = greatest(w.consumed_amount_cents + u.consumed_cents, 0),
        consumed_credits = greatest(w.consumed_credits + u.consumed_credits, 0),
        last_consumed_credit_at = case when u.consumes then u.at else w.last_consumed_credit_at end,
        last_balance_sync_at = u.at,
        updated_at = u.at
    from (
      select id, sum(cents) as cents, sum(credits) as credits, sum(consumed_cents) as consumed_cents,
             sum(consumed_credits) as consumed_credits, bool_or(consumed_credits > 0) as consumes, max(at) as at
      from unnest(
        cast(:wallet_id as uuid[]), cast(:cents as bigint[]), cast(:credits as numeric[]),
        cast(:consumed_cents as bigint[]), cast(:consumed_credits as numeric[]), cast(:at as timestamptz[])
      ) as m(id, cents, credits, consumed_cents, consumed_credits, at)
      group by id
    ) u
    where w.id = u.id
""")


async def settle(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The purchases on these invoices are paid, those too that had failed: their credits can be used (§4.1, 5)."""
    rows = await _purchases(tx, invoice_ids, ("pending", "failed"))
    for row in rows:
        row.status = "settled"
        row.settled_at = at
        row.remaining_amount_cents = row.amount_cents
        row.updated_at = at
    await tx.flush()
    await _move(tx, [Change(row.wallet_id, row.amount_cents, row.credit_amount, 0, Decimal(0), at) for row in rows])
    messages = []
    for row in rows:
        messages.append(Message(row.organization_id, "wallet_transaction.updated", row.id, at))
        messages.append(Message(row.organization_id, "wallet.updated", row.wallet_id, at))
    await outbox.emit(tx, messages)


async def fail(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """The purchases on these invoices were not paid; they may be paid later (§4.1, 6)."""
    rows = await _purchases(tx, invoice_ids, ("pending",))
    for row in rows:
        row.status = "failed"
        row.failed_at = at
        row.updated_at = at
    await outbox.emit(tx, [Message(row.organization_id, "wallet_transaction.updated", row.id, at) for row in rows])


async def _purchases(tx: Tx, invoice_ids: Sequence[uuid.UUID], statuses: Sequence[str]) -> list[WalletTransaction]:
    if not invoice_ids:
        return []
    row = WalletTransaction
    statement = (
        select(row)
        .where(row.invoice_id.in_(invoice_ids), row.transaction_status == "purchased", row.status.in_(statuses))
        .order_by(row.id)
    )
    return list(await tx.scalars(statement.execution_options(populate_existing=True)))


async def purchase(tx: Tx, invoice_id: uuid.UUID) -> tuple[Wallet, WalletTransaction] | None:
    """The wallet and the purchase of an invoice for credits."""
    row = WalletTransaction
    statement = (
        select(Wallet, row)
        .join(row, row.wallet_id == Wallet.id)
        .where(row.invoice_id == invoice_id, row.transaction_status == "purchased")
    )
    found = (await tx.execute(statement.execution_options(populate_existing=True))).one_or_none()
    return (found[0], found[1]) if found is not None else None


async def give_back(tx: Tx, invoice_ids: Sequence[uuid.UUID], at: dt.datetime) -> None:
    """What active wallets paid of these invoices comes back as granted credits (wallets.md §3.4)."""
    row = WalletTransaction
    statement = (
        select(row)
        .join(Wallet, Wallet.id == row.wallet_id)
        .where(row.invoice_id.in_(invoice_ids), row.transaction_status == "invoiced", Wallet.status == "active")
        .order_by(row.created_at, row.id)
    )
    spent = list(await tx.scalars(statement))
    returned = [
        Movement(
            one.organization_id,
            one.wallet_id,
            "granted",
            Worth(one.amount_cents, one.credit_amount),
            at,
            voided_invoice_id=one.invoice_id,
        )
        for one in spent
    ]
    await _move(tx, [Change(one.wallet_id, 0, Decimal(0), -one.amount_cents, -one.credit_amount, at) for one in spent])
    await record(tx, returned)


async def bill(tx: Tx, invoice_of: dict[uuid.UUID, uuid.UUID]) -> None:
    """purchase -> the invoice that asks for its price."""
    await tx.execute(
        update(WalletTransaction),
        [{"id": key, "invoice_id": invoice_id} for key, invoice_id in invoice_of.items()],
    )


# -- what there is --------------------------------------------------------------------------------


async def available(tx: Tx, customer_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[AvailableWallet]]:
    """customer -> its active wallets that hold something, in three queries."""
    statement = select(Wallet).where(
        Wallet.customer_id.in_(set(customer_ids)), Wallet.status == "active", Wallet.balance_cents > 0
    )
    rows = list(await tx.scalars(statement.execution_options(populate_existing=True)))
    ids = [row.id for row in rows]
    metrics = await metric_ids(tx, ids)
    top_ups = await fundings(tx, ids)
    found: dict[uuid.UUID, list[AvailableWallet]] = {}
    for row in rows:
        wallet = AvailableWallet(
            id=row.id,
            code=row.code,
            currency=row.currency,
            rate=row.rate_amount,
            priority=row.priority,
            created_at=row.created_at,
            balance_cents=row.balance_cents,
            fundings=tuple(top_ups.get(row.id, ())),
            fee_types=frozenset(row.allowed_fee_types),
            metric_ids=frozenset(metrics.get(row.id, ())),
        )
        found.setdefault(row.customer_id, []).append(wallet)
    return found


async def metric_ids(tx: Tx, wallet_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """wallet -> the metrics that it is limited to; unlimited ones are absent."""
    if not wallet_ids:
        return {}
    statement = select(WalletTarget.wallet_id, WalletTarget.billable_metric_id).where(
        WalletTarget.wallet_id.in_(wallet_ids)
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for wallet_id, metric_id in await tx.execute(statement):
        found.setdefault(wallet_id, []).append(metric_id)
    return found


async def fundings(tx: Tx, wallet_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Funding]]:
    """wallet -> its top-ups that have something left."""
    if not wallet_ids:
        return {}
    row = WalletTransaction
    statement = select(
        row.wallet_id, row.id, row.remaining_amount_cents, row.transaction_status, row.priority, row.created_at
    ).where(row.wallet_id.in_(wallet_ids), row.remaining_amount_cents > 0)
    found: dict[uuid.UUID, list[Funding]] = {}
    for wallet_id, key, cents, kind, priority, created_at in await tx.execute(statement):
        found.setdefault(wallet_id, []).append(Funding(key, cents or 0, kind == "granted", priority, created_at))
    return found
