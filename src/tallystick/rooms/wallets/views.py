"""Wire JSON of wallets, their transactions and what funded what (api.md §15.23, §15.24). Changes nothing.

Custom sections are another room's. Ongoing figures are those of a customer whose usage is invoiced.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from tallystick.core.money import from_cents
from tallystick.core.wallets import credits_of
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillableMetric,
    BillingEntity,
    Customer,
    Wallet,
    WalletConsumption,
    WalletTarget,
    WalletTransaction,
)
from tallystick.ground.wire import dec, dt3_or_none, dt_, dt_or_none

Wire = dict[str, Any]


async def wallets(tx: Tx, rows: Sequence[Wallet], *, limits: bool = True) -> list[Wire]:
    """Wallet objects in the order given; webhooks carry no `limits`, which is `applies_to`."""
    owners = await _owners(tx, rows)
    metrics = await _metric_codes(tx, rows) if limits else {}
    bodies = []
    for row in rows:
        body = _wallet(row, *owners[row.id])
        if limits:
            applies_to = {"fee_types": row.allowed_fee_types, "billable_metric_codes": metrics.get(row.id, [])}
            body["applies_to"] = applies_to
        if row.metadata_ is not None:
            body["metadata"] = row.metadata_
        bodies.append(body)
    return bodies


def _wallet(row: Wallet, external_customer_id: str, billing_entity_code: str) -> Wire:
    return {
        "lago_id": row.id,
        "lago_customer_id": row.customer_id,
        "external_customer_id": external_customer_id,
        "billing_entity_code": billing_entity_code,
        "status": row.status,
        "currency": row.currency,
        "name": row.name,
        "code": row.code,
        "purchase_order_number": row.purchase_order_number,
        "rate_amount": dec(row.rate_amount),
        "credits_balance": dec(row.credits_balance),
        "credits_ongoing_balance": dec(row.credits_balance),
        "credits_ongoing_usage_balance": dec(0),
        "balance_cents": row.balance_cents,
        "ongoing_balance_cents": row.balance_cents,
        "ongoing_usage_balance_cents": 0,
        "consumed_credits": dec(row.consumed_credits),
        "created_at": dt_(row.created_at),
        "expiration_at": dt_or_none(row.expiration_at),
        "last_balance_sync_at": dt_or_none(row.last_balance_sync_at),
        "last_consumed_credit_at": dt_or_none(row.last_consumed_credit_at),
        "terminated_at": dt3_or_none(row.terminated_at),
        "invoice_requires_successful_payment": row.invoice_requires_successful_payment,
        "paid_top_up_min_amount_cents": row.paid_top_up_min_amount_cents,
        "paid_top_up_max_amount_cents": row.paid_top_up_max_amount_cents,
        "priority": row.priority,
        "payment_method": _payment_method(row),
    }


def _payment_method(row: Wallet | WalletTransaction) -> Wire:
    return {"payment_method_id": row.payment_method_id, "payment_method_type": row.payment_method_type}


async def _owners(tx: Tx, rows: Sequence[Wallet]) -> dict[uuid.UUID, tuple[str, str]]:
    """wallet -> external id of its customer, code of its issuer."""
    issuer = func.coalesce(Wallet.billing_entity_id, Customer.billing_entity_id)
    statement = (
        select(Wallet.id, Customer.external_id, BillingEntity.code)
        .join(Customer, Customer.id == Wallet.customer_id)
        .join(BillingEntity, BillingEntity.id == issuer)
        .where(Wallet.id.in_([row.id for row in rows]))
    )
    return {key: (external_id, code) for key, external_id, code in await tx.execute(statement)} if rows else {}


async def _metric_codes(tx: Tx, rows: Sequence[Wallet]) -> dict[uuid.UUID, list[str]]:
    statement = (
        select(WalletTarget.wallet_id, BillableMetric.code)
        .join(BillableMetric, BillableMetric.id == WalletTarget.billable_metric_id)
        .where(WalletTarget.wallet_id.in_([row.id for row in rows]))
        .order_by(WalletTarget.created_at, BillableMetric.created_at, BillableMetric.id)
    )
    found: dict[uuid.UUID, list[str]] = {}
    for wallet_id, code in await tx.execute(statement) if rows else ():
        found.setdefault(wallet_id, []).append(code)
    return found


async def transactions(tx: Tx, rows: Sequence[WalletTransaction]) -> list[Wire]:
    """Transaction objects in the order given; what they do not say themselves their wallet says."""
    own = aliased(BillingEntity)
    issuer = func.coalesce(Wallet.billing_entity_id, Customer.billing_entity_id)
    statement = (
        select(WalletTransaction.id, Wallet, func.coalesce(own.code, BillingEntity.code))
        .join(Wallet, Wallet.id == WalletTransaction.wallet_id)
        .join(Customer, Customer.id == Wallet.customer_id)
        .join(BillingEntity, BillingEntity.id == issuer)
        .outerjoin(own, own.id == WalletTransaction.billing_entity_id)
        .where(WalletTransaction.id.in_([row.id for row in rows]))
    )
    found = {key: (wallet, code) for key, wallet, code in await tx.execute(statement)} if rows else {}
    return [_transaction(row, *found[row.id]) for row in rows]


def _transaction(row: WalletTransaction, wallet: Wallet, billing_entity_code: str) -> Wire:
    left = row.remaining_amount_cents
    return {
        "lago_id": row.id,
        "lago_wallet_id": row.wallet_id,
        "lago_invoice_id": row.invoice_id,
        "lago_credit_note_id": row.credit_note_id,
        "lago_voided_invoice_id": row.voided_invoice_id,
        "billing_entity_code": billing_entity_code,
        "status": row.status,
        "source": row.source,
        "transaction_status": row.transaction_status,
        "transaction_type": row.transaction_type,
        "amount": dec(from_cents(row.amount_cents, wallet.currency)),
        "credit_amount": dec(row.credit_amount),
        "remaining_amount_cents": left,
        "remaining_credit_amount": None if left is None else _credits(left, wallet),
        "priority": row.priority,
        "purchase_order_number": row.purchase_order_number or wallet.purchase_order_number,
        "settled_at": dt_or_none(row.settled_at),
        "failed_at": dt_or_none(row.failed_at),
        "created_at": dt_(row.created_at),
        "invoice_requires_successful_payment": row.invoice_requires_successful_payment,
        "metadata": row.metadata_,
        "name": row.name,
        "payment_method": _payment_method(row),
    }


async def links(tx: Tx, rows: Sequence[WalletConsumption], *, other: str) -> list[Wire]:
    """Consumptions or fundings in the order given, each with its `other` side: `inbound_id` or `outbound_id`."""
    ids = [getattr(row, other) for row in rows]
    statement = (
        select(WalletTransaction, Wallet)
        .join(Wallet, Wallet.id == WalletTransaction.wallet_id)
        .where(WalletTransaction.id.in_(ids))
    )
    found = {row.id: (row, wallet) for row, wallet in await tx.execute(statement)} if rows else {}
    sides = dict(zip(found, await transactions(tx, [row for row, _ in found.values()]), strict=True))
    return [
        {
            "lago_id": row.id,
            "amount_cents": row.amount_cents,
            "credit_amount": _credits(row.amount_cents, found[key][1]),
            "created_at": dt_(row.created_at),
            "wallet_transaction": sides[key],
        }
        for row, key in zip(rows, ids, strict=True)
    ]


def _credits(cents: int, wallet: Wallet) -> str:
    return dec(credits_of(cents, wallet.rate_amount, wallet.currency))
