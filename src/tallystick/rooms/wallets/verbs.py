"""What can be done with wallets: find, create, change, terminate, let expire (wallets.md §1).

Their movements are in ledger.py; customers are locked by the caller.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from tallystick.core.metadata import metadata_errors
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Customer, Wallet, WalletTransaction
from tallystick.rooms.wallets import store, terms

Fields = Mapping[str, Any]

#: what can be given at any time
_EDITED = (
    *("name", "code", "priority", "expiration_at", "invoice_requires_successful_payment"),
    *("paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents", "purchase_order_number"),
    *("payment_method_type", "payment_method_id", "billing_entity_id", "skip_invoice_custom_sections"),
)
#: columns that are never empty: a null changes nothing of them
_KEPT = ("code", "priority", "invoice_requires_successful_payment", "skip_invoice_custom_sections")


async def find(tx: Tx, organization_id: uuid.UUID, wallet_id: str, *, lock: bool = False) -> Wallet:
    """A wallet; 404 `wallet_not_found`."""
    known = parse_id(wallet_id)
    found = await store.wallet(tx, organization_id, known, lock=lock) if known else None
    if found is None:
        raise NotFound("wallet")
    return found


async def find_of_customer(tx: Tx, customer: Customer, code: str) -> Wallet:
    """A customer's wallet by its code; 404 `wallet_not_found`."""
    found = await store.by_code(tx, customer.id, code)
    if found is None:
        raise NotFound("wallet")
    return found


async def find_transaction(tx: Tx, organization_id: uuid.UUID, transaction_id: str) -> WalletTransaction:
    """A transaction; 404 `wallet_transaction_not_found`."""
    known = parse_id(transaction_id)
    found = await store.transaction(tx, organization_id, known) if known else None
    if found is None:
        raise NotFound("wallet_transaction")
    return found


async def draft(
    tx: Tx, customer: Customer, at: dt.datetime, currency: str | None, fields: Fields, problems: Problems
) -> Wallet:
    """A new wallet that is not stored yet; what is wrong with it is added to `problems`."""
    others = await store.active(tx, [customer.id])
    if len(others) >= terms.MOST_WALLETS:
        problems.add("customer", "wallet_limit_reached")
    if currency is None:
        problems.add("currency", "value_is_invalid")
    wallet = Wallet(
        id=new_id(),
        organization_id=customer.organization_id,
        customer_id=customer.id,
        status="active",
        currency=currency,
        rate_amount=terms.rate_of(fields.get("rate_amount"), problems),
        priority=terms.MOST_PRIORITY,
        balance_cents=0,
        credits_balance=0,
        consumed_amount_cents=0,
        consumed_credits=0,
        allowed_fee_types=[],
        invoice_requires_successful_payment=False,
        payment_method_type="provider",
        skip_invoice_custom_sections=False,
        created_at=at,
        updated_at=at,
    )
    taken = {other.code for other in others}
    given = {**fields, "code": fields.get("code") or _free_code(fields.get("name"), taken, at)}
    _assign(wallet, given, at, taken, problems)
    return wallet


async def add(tx: Tx, wallet: Wallet) -> None:
    """Store a new wallet."""
    tx.add(wallet)
    await tx.flush()
    await _schedule(tx, wallet)
    await _tell(tx, "wallet.created", wallet, wallet.created_at)


async def update(tx: Tx, wallet: Wallet, at: dt.datetime, fields: Fields) -> None:
    """Change the given fields of a locked wallet; 422 `wallet_is_terminated`, and those of wallets.md §1.1."""
    check_active(wallet)
    problems = Problems()
    others = await store.active(tx, [wallet.customer_id])
    with tx.no_autoflush:
        _assign(wallet, fields, at, {other.code for other in others if other.id != wallet.id}, problems)
        problems.raise_if_any()
    wallet.updated_at = at
    await tx.flush()
    await _schedule(tx, wallet)
    await _tell(tx, "wallet.updated", wallet, at)


async def replace_metadata(tx: Tx, wallet: Wallet, entries: Mapping[str, Any] | None, at: dt.datetime) -> None:
    """The wallet has exactly these entries, None for no metadata at all; 422 `value` with sentences."""
    check_active(wallet)
    if errors := metadata_errors(entries or {}):
        raise Invalid.field("value", *errors)
    wallet.metadata_ = None if entries is None else dict(entries)
    wallet.updated_at = at
    await tx.flush()
    await _tell(tx, "wallet.updated", wallet, at)


def check_active(wallet: Wallet) -> None:
    """422 `wallet_is_terminated`."""
    if wallet.status != "active":
        raise Invalid.field("wallet_id", "wallet_is_terminated")


async def terminate(tx: Tx, wallets: Sequence[Wallet], at: dt.datetime) -> None:
    """End active wallets; their balances stay visible and are never used again (§1.5)."""
    await _terminate(tx, wallets, {wallet.id: at for wallet in wallets})


async def expire(tx: Tx, at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    """The time of these wallets is over."""
    statement = select(Wallet).where(Wallet.id.in_(list(at_of))).order_by(Wallet.id).with_for_update()
    await _terminate(tx, list(await tx.scalars(statement.execution_options(populate_existing=True))), at_of)


async def _terminate(tx: Tx, wallets: Sequence[Wallet], at_of: Mapping[uuid.UUID, dt.datetime]) -> None:
    ended = [wallet for wallet in wallets if wallet.status == "active"]
    for wallet in ended:
        wallet.status = "terminated"
        wallet.terminated_at = wallet.updated_at = at_of[wallet.id]
    await tx.flush()
    await agenda.remove(tx, [Kind.EXPIRE_WALLET], [wallet.id for wallet in ended])
    told = [Message(one.organization_id, "wallet.terminated", one.id, at_of[one.id]) for one in ended]
    await outbox.emit(tx, told)


def _assign(wallet: Wallet, fields: Fields, at: dt.datetime, taken: set[str], problems: Problems) -> None:
    for name in _EDITED:
        if name in fields and not (name in _KEPT and fields[name] is None):
            setattr(wallet, name, fields[name])
    if "fee_types" in fields:
        wallet.allowed_fee_types = list(dict.fromkeys(fields["fee_types"] or ()))
    if "metadata" in fields and fields["metadata"] is not None:
        if errors := metadata_errors(fields["metadata"]):
            problems.add("value", *errors)
        wallet.metadata_ = dict(fields["metadata"])
    if wallet.code in taken:
        problems.add("code", "value_already_exist")
    if "expiration_at" in fields:
        terms.check_expiration(wallet.expiration_at, at, problems)
    terms.check_wallet(wallet, problems)


def _free_code(name: str | None, taken: set[str], at: dt.datetime) -> str:
    """From the name, or `default`; one that is taken gets the time (§1.1)."""
    slug = re.sub(r"[^a-z0-9]+", "_", (name or "").lower()).strip("_")[:200] or "default"
    return f"{slug}_{int(at.timestamp())}" if slug in taken else slug


async def _schedule(tx: Tx, wallet: Wallet) -> None:
    """Write the date on which the wallet expires, or forget it."""
    if wallet.expiration_at is not None:
        await agenda.put(tx, [Due(Kind.EXPIRE_WALLET, wallet.id, wallet.organization_id, wallet.expiration_at)])
    else:
        await agenda.remove(tx, [Kind.EXPIRE_WALLET], [wallet.id])


async def _tell(tx: Tx, webhook_type: str, wallet: Wallet, at: dt.datetime) -> None:
    await outbox.emit(tx, [Message(wallet.organization_id, webhook_type, wallet.id, at)])
