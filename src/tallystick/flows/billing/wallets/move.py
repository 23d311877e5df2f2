"""Transactions that callers ask for: credits bought, granted and voided (wallets.md §3.1, §3.3)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.core.money import ZERO
from tallystick.core.wallets import Funding, Overdrawn, Worth, credits_of, draw
from tallystick.flows.billing.sections import Choice
from tallystick.flows.billing.wallets.top_up import TopUp, top_up
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, Problems
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Customer, Wallet, WalletTransaction
from tallystick.rooms.wallets import ledger, store, terms, verbs
from tallystick.rooms.wallets.ledger import Movement, Terms

Fields = Mapping[str, Any]
MOST_PAIRS = 15


async def move(
    tx: Tx, wallet: Wallet, at: dt.datetime, fields: Fields, choice: Choice | None
) -> list[WalletTransaction]:
    """The transactions of one request on a locked wallet: paid, granted, voided, none for zero.

    `fields`: those of wallets.md §3.1, `payment_method_type` in place of `payment_method`. 422 of its table.
    """
    verbs.check_active(wallet)
    problems = Problems()
    paid, granted, voided = (
        terms.credits_of(fields, name, problems) for name in ("paid_credits", "granted_credits", "voided_credits")
    )
    own = _terms(wallet, fields, problems)
    bought = terms.worth_of(wallet, paid, "paid_credits", problems)
    if not fields.get("ignore_paid_top_up_limits"):
        terms.check_limits(wallet, bought, problems)
    given = terms.worth_of(wallet, granted, "granted_credits", problems)
    if voided > wallet.credits_balance:
        problems.add("voided_credits", "insufficient_credits")
    problems.raise_if_any()
    named = await _named(tx, wallet, fields)
    customer = await tx.get_one(Customer, wallet.customer_id)
    issuer_id = wallet.billing_entity_id or customer.billing_entity_id
    ids = await top_up(tx, [TopUp(wallet, issuer_id, bought, given, own, choice)], at)
    if named is not None or voided > 0:
        worth = terms.void_of(wallet, voided) if voided > 0 else _rest(wallet, named)
        ids.append(await _void(tx, wallet, worth, named, own, at))
    return await store.transactions(tx, ids)


def _terms(wallet: Wallet, fields: Fields, problems: Problems) -> Terms:
    priority = fields.get("priority")
    if priority is not None:
        terms.check_priority(priority, problems)
    terms.check_pairs(fields.get("metadata"), MOST_PAIRS, problems)
    terms.check_name(fields.get("name"), problems)
    gated = fields.get("invoice_requires_successful_payment")
    return Terms(
        priority=priority or terms.MOST_PRIORITY,
        name=fields.get("name") or None,
        metadata=fields.get("metadata") or (),
        purchase_order_number=fields.get("purchase_order_number"),
        invoice_requires_successful_payment=wallet.invoice_requires_successful_payment if gated is None else gated,
        payment_method_type=fields.get("payment_method_type") or wallet.payment_method_type,
    )


async def _named(tx: Tx, wallet: Wallet, fields: Fields) -> Funding | None:
    """The only top-up that a void may take from."""
    text = fields.get("voided_transaction_id")
    if text is None:
        return None
    known = parse_id(str(text))
    row = await store.transaction(tx, wallet.organization_id, known) if known else None
    if row is None or row.wallet_id != wallet.id or row.transaction_type != "inbound":
        raise Invalid.field("voided_transaction_id", "wallet_transaction_not_found")
    if not row.remaining_amount_cents:
        raise Invalid.field("voided_transaction_id", "no_remaining_amount")
    granted = row.transaction_status == "granted"
    return Funding(row.id, row.remaining_amount_cents, granted, row.priority, row.created_at)


def _rest(wallet: Wallet, named: Funding | None) -> Worth:
    """All that is left of a top-up."""
    cents = named.remaining_cents if named else 0
    return Worth(cents, credits_of(cents, wallet.rate_amount, wallet.currency) if cents else ZERO)


async def _void(tx: Tx, wallet: Wallet, worth: Worth, named: Funding | None, own: Terms, at: dt.datetime) -> uuid.UUID:
    if named is not None and worth.amount_cents > named.remaining_cents:
        raise Invalid.field("amount_cents", "exceeds_remaining_transaction_amount")
    sources = [named] if named else (await ledger.fundings(tx, [wallet.id])).get(wallet.id, [])
    try:
        links = draw(worth.amount_cents, sources)
    except Overdrawn as error:
        raise Invalid.field("amount_cents", "exceeds_available_amount") from error
    movement = Movement(
        wallet.organization_id,
        wallet.id,
        "voided",
        worth,
        at,
        links=[(funding.id, cents) for funding, cents in links],
        terms=Terms(priority=own.priority, name=own.name, metadata=own.metadata),
    )
    await ledger.record(tx, [movement])
    return movement.id
