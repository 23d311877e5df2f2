"""SQL of the customers room; the only writer of `customers` and `customer_metadata`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, any_, exists, literal, select, update
from sqlalchemy.dialects.postgresql import UUID

from tallystick.ground.db import Tx
from tallystick.ground.tables import AppliedCoupon, Customer, CustomerMetadata, Invoice, Subscription, Wallet


async def find(tx: Tx, organization_id: uuid.UUID, external_id: str, *, lock: bool = False) -> Customer | None:
    """A customer that is not deleted; `lock` holds it against everything that moves its money."""
    statement = select(Customer).where(
        Customer.organization_id == organization_id,
        Customer.external_id == external_id,
        Customer.deleted_at.is_(None),
    )
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await tx.scalars(statement)).one_or_none()


async def by_ids(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> list[Customer]:
    """Customers in id order, deleted ones too: documents go on naming them."""
    return list(await tx.scalars(select(Customer).where(_is_one_of(customer_ids)).order_by(Customer.id)))


async def lock(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> None:
    """Lock a set of customers in id order, so that two sets never wait for each other."""
    await tx.execute(
        select(Customer.id).where(_is_one_of(customer_ids)).order_by(Customer.id).with_for_update(key_share=True)
    )


def _is_one_of(customer_ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    # one array parameter: a set may be larger than the number of parameters a statement can have
    return Customer.id == any_(literal(list(customer_ids), ARRAY(UUID(as_uuid=True))))


async def ids_of_entity(tx: Tx, billing_entity_id: uuid.UUID) -> list[uuid.UUID]:
    """The customers that a billing entity invoices, in id order."""
    statement = (
        select(Customer.id)
        .where(Customer.billing_entity_id == billing_entity_id, Customer.deleted_at.is_(None))
        .order_by(Customer.id)
    )
    return list(await tx.scalars(statement))


async def is_editable(tx: Tx, customer_id: uuid.UUID) -> bool:
    """Whether nothing was ever billed to the customer (customers_entitlements.md §1.5)."""
    used = (
        exists().where(Subscription.customer_id == customer_id)
        | exists().where(Invoice.customer_id == customer_id)
        | exists().where(Wallet.customer_id == customer_id)
        | exists().where(AppliedCoupon.customer_id == customer_id, AppliedCoupon.amount_currency.is_not(None))
    )
    return not await tx.scalar(select(used))


async def fill_currency(tx: Tx, customer_ids: Sequence[uuid.UUID], currency: str, at: dt.datetime) -> None:
    """Give the currency to those of the customers that have none."""
    blank = update(Customer).where(_is_one_of(customer_ids), Customer.currency.is_(None))
    filled = blank.values(currency=currency, updated_at=at).returning(Customer)
    # what the session holds of these customers shows the currency too
    await tx.scalars(filled.execution_options(populate_existing=True, synchronize_session=False))


async def metadata_of(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[CustomerMetadata]]:
    """customer -> its metadata, oldest first; customers without any are absent."""
    statement = (
        select(CustomerMetadata)
        .where(CustomerMetadata.customer_id.in_(customer_ids))
        .order_by(CustomerMetadata.created_at, CustomerMetadata.id)
    )
    found: dict[uuid.UUID, list[CustomerMetadata]] = {}
    for row in await tx.scalars(statement):
        found.setdefault(row.customer_id, []).append(row)
    return found
