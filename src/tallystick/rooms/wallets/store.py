"""SQL of wallets and what they are limited to; with ledger.py the only writer of the room's tables."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    BillableMetric,
    Customer,
    Wallet,
    WalletConsumption,
    WalletTarget,
    WalletTransaction,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which wallets a list shows."""

    customer_id: uuid.UUID | None = None
    currency: str | None = None
    #: issuers of wallets and, for wallets without one, of customers
    billing_entity_ids: Sequence[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class TransactionFilters:
    """Which transactions of a wallet a list shows; empty values filter nothing."""

    status: str | None = None
    transaction_status: str | None = None
    transaction_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


async def wallet(tx: Tx, organization_id: uuid.UUID, wallet_id: uuid.UUID, *, lock: bool = False) -> Wallet | None:
    """A wallet, terminated ones too."""
    statement = select(Wallet).where(Wallet.organization_id == organization_id, Wallet.id == wallet_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await tx.scalars(statement.execution_options(populate_existing=True))).one_or_none()


async def by_code(tx: Tx, customer_id: uuid.UUID, code: str) -> Wallet | None:
    """The customer's wallet of this code: the active one, else the newest terminated one."""
    statement = (
        select(Wallet)
        .where(Wallet.customer_id == customer_id, Wallet.code == code)
        .order_by(Wallet.status, Wallet.created_at.desc(), Wallet.id.desc())
        .limit(1)
    )
    return (await tx.scalars(statement)).one_or_none()


async def active(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[Wallet]:
    """The active wallets of these locked customers."""
    statement = (
        select(Wallet)
        .where(Wallet.customer_id.in_(customer_ids), Wallet.status == "active")
        .order_by(Wallet.created_at, Wallet.id)
    )
    return list(await tx.scalars(statement.execution_options(populate_existing=True)))


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[Wallet]:
    """Wallets, the newest first."""
    statement = select(Wallet).where(Wallet.organization_id == organization_id)
    if filters.customer_id is not None:
        statement = statement.where(Wallet.customer_id == filters.customer_id)
    if filters.currency is not None:
        statement = statement.where(Wallet.currency == filters.currency)
    if filters.billing_entity_ids is not None:
        statement = statement.where(_issuer().in_(filters.billing_entity_ids))
    return statement.order_by(Wallet.created_at.desc(), Wallet.id.desc())


async def transaction(tx: Tx, organization_id: uuid.UUID, transaction_id: uuid.UUID) -> WalletTransaction | None:
    """A transaction."""
    row = WalletTransaction
    return (
        await tx.scalars(select(row).where(row.organization_id == organization_id, row.id == transaction_id))
    ).one_or_none()


async def transactions(tx: Tx, ids: Sequence[uuid.UUID]) -> list[WalletTransaction]:
    """The transactions in the order of these ids."""
    statement = select(WalletTransaction).where(WalletTransaction.id.in_(ids))
    found = {row.id: row for row in await tx.scalars(statement.execution_options(populate_existing=True))}
    return [found[key] for key in ids]


def transactions_of(wallet_id: uuid.UUID, filters: TransactionFilters) -> Select[WalletTransaction]:
    """The transactions of a wallet, the newest first."""
    row = WalletTransaction
    statement = select(row).where(row.wallet_id == wallet_id)
    for name in ("status", "transaction_status", "transaction_type"):
        if (value := getattr(filters, name)) is not None:
            statement = statement.where(getattr(row, name) == value)
    for key, text in filters.metadata.items():
        statement = statement.where(row.metadata_.contains([{"key": key, "value": text}]))
    return statement.order_by(row.created_at.desc(), row.id.desc())


def links_of(transaction: WalletTransaction) -> Select[WalletConsumption]:
    """What a top-up funded, or what funded a spending; the newest first."""
    row = WalletConsumption
    own = row.inbound_id if transaction.transaction_type == "inbound" else row.outbound_id
    return select(row).where(own == transaction.id).order_by(row.created_at.desc(), row.id.desc())


async def metric_ids(tx: Tx, organization_id: uuid.UUID, codes: Sequence[str]) -> dict[str, uuid.UUID]:
    """code -> live billable metric."""
    statement = select(BillableMetric.code, BillableMetric.id).where(
        BillableMetric.organization_id == organization_id,
        BillableMetric.code.in_(codes),
        BillableMetric.deleted_at.is_(None),
    )
    return dict((await tx.execute(statement)).all())


async def replace_targets(tx: Tx, wallet: Wallet, metric_ids: Iterable[uuid.UUID], at: dt.datetime) -> None:
    """The wallet pays for the usage of exactly these metrics from now on."""
    await tx.execute(delete(WalletTarget).where(WalletTarget.wallet_id == wallet.id))
    rows = [
        {
            "wallet_id": wallet.id,
            "billable_metric_id": metric_id,
            "organization_id": wallet.organization_id,
            "created_at": at,
        }
        for metric_id in dict.fromkeys(metric_ids)
    ]
    if rows:
        await tx.execute(insert(WalletTarget).values(rows))


def _issuer() -> Any:
    customers = select(Customer.billing_entity_id).where(Customer.id == Wallet.customer_id).scalar_subquery()
    return func.coalesce(Wallet.billing_entity_id, customers)
