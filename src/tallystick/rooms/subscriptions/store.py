"""SQL of the subscriptions room; with verbs.py the only writer of `subscriptions`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, select, tuple_

from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer, Plan, Subscription

STATUSES = ("pending", "active", "terminated", "canceled", "incomplete")

Ids = Sequence[uuid.UUID]

# -- which row a route takes (api.md §7) --------------------------------------------------------------


async def shown(tx: Tx, organization_id: uuid.UUID, external_id: str, status: str) -> Subscription | None:
    """The row of a chain that a read takes: of this status, the running or last ended one first."""
    statement = _chain(organization_id, external_id).where(Subscription.status == status)
    statement = statement.order_by(
        Subscription.terminated_at.desc().nulls_first(),
        Subscription.started_at.desc().nulls_last(),
        Subscription.created_at.desc(),
        Subscription.id.desc(),
    )
    return (await tx.scalars(statement.limit(1))).first()


async def edited(tx: Tx, organization_id: uuid.UUID, external_id: str, status: str | None) -> Subscription | None:
    """The row that an update takes: the only one, else the pending, the incomplete or the active one."""
    only = list(await tx.scalars(_chain(organization_id, external_id).limit(2)))
    if len(only) == 1:
        return only[0]
    return await shown(tx, organization_id, external_id, status if status in ("pending", "incomplete") else "active")


def _chain(organization_id: uuid.UUID, external_id: str) -> Select[Subscription]:
    return select(Subscription).where(
        Subscription.organization_id == organization_id, Subscription.external_id == external_id
    )


# -- decisions of a new subscription (subscriptions.md §2.3, §2.4) -------------------------------------


async def current(tx: Tx, customer_id: uuid.UUID, external_id: str) -> Subscription | None:
    """The customer's active row of a chain, or its pending one that replaces nothing; latest start first."""
    statement = select(Subscription).where(
        Subscription.customer_id == customer_id,
        Subscription.external_id == external_id,
        (Subscription.status == "active")
        | ((Subscription.status == "pending") & Subscription.previous_subscription_id.is_(None)),
    )
    order = (Subscription.started_at.desc().nulls_last(), Subscription.created_at.desc())
    return (await tx.scalars(statement.order_by(*order).limit(1))).first()


async def active_of_customer(tx: Tx, customer_id: uuid.UUID, external_ids: Sequence[str]) -> list[Subscription]:
    """The customer's active rows of these chains, in the order asked for."""
    statement = select(Subscription).where(
        Subscription.customer_id == customer_id,
        Subscription.external_id.in_(external_ids),
        Subscription.status == "active",
    )
    found = {row.external_id: row for row in await tx.scalars(statement)}
    return [found[name] for name in external_ids if name in found]


async def starting_of_customer(tx: Tx, customer_id: uuid.UUID, external_id: str) -> list[Subscription]:
    """The customer's row of a chain that is to start and replaces none; empty without one."""
    row = await current(tx, customer_id, external_id)
    return [row] if row is not None and row.status == "pending" else []


async def is_incomplete(tx: Tx, customer_id: uuid.UUID, external_id: str) -> bool:
    """Whether a row of the customer waits for an activation rule."""
    waiting = exists().where(
        Subscription.customer_id == customer_id,
        Subscription.external_id == external_id,
        Subscription.status == "incomplete",
    )
    return bool(await tx.scalar(select(waiting)))


async def taken(tx: Tx, names: Iterable[tuple[uuid.UUID, str]]) -> set[tuple[uuid.UUID, str]]:
    """Which of these (organization, external id) name an active row already."""
    statement = select(Subscription.organization_id, Subscription.external_id).where(
        tuple_(Subscription.organization_id, Subscription.external_id).in_(list(names)), Subscription.status == "active"
    )
    return {(row.organization_id, row.external_id) for row in await tx.execute(statement)}


async def last_invoiced_end_at(tx: Tx, customer_id: uuid.UUID, external_id: str) -> dt.datetime | None:
    """When the last row of the chain ended with an invoice: a backdated start does not go behind it (§2.4)."""
    statement = select(func.max(Subscription.terminated_at)).where(
        Subscription.customer_id == customer_id,
        Subscription.external_id == external_id,
        Subscription.status == "terminated",
        Subscription.on_termination_invoice == "generate",
    )
    ended_at: dt.datetime | None = await tx.scalar(statement)
    return ended_at


# -- sets ---------------------------------------------------------------------------------------------


async def by_ids(tx: Tx, subscription_ids: Ids) -> list[Subscription]:
    """Rows as the database has them now, in id order."""
    statement = select(Subscription).where(Subscription.id.in_(subscription_ids)).order_by(Subscription.id)
    return list(await tx.scalars(statement.execution_options(populate_existing=True)))


async def customer_ids_of(tx: Tx, subscription_ids: Ids) -> list[uuid.UUID]:
    """The customers of these rows."""
    return list(
        await tx.scalars(select(Subscription.customer_id).where(Subscription.id.in_(subscription_ids)).distinct())
    )


async def successors_of(tx: Tx, subscription_ids: Ids, statuses: Sequence[str] = ("pending",)) -> list[Subscription]:
    """The rows of these statuses that are to replace these rows, in id order."""
    statement = select(Subscription).where(
        Subscription.previous_subscription_id.in_(subscription_ids), Subscription.status.in_(statuses)
    )
    return list(await tx.scalars(statement.order_by(Subscription.id)))


async def live_ids_of_customers(tx: Tx, customer_ids: Ids) -> list[uuid.UUID]:
    """Rows of these customers that are active or will be."""
    return await _live_ids(tx, Subscription.customer_id.in_(customer_ids))


async def live_ids_of_plans(tx: Tx, plan_ids: Ids) -> list[uuid.UUID]:
    """Rows on these very plan rows that are active or will be."""
    return await _live_ids(tx, Subscription.plan_id.in_(plan_ids))


async def _live_ids(tx: Tx, condition: object) -> list[uuid.UUID]:
    statement = select(Subscription.id).where(condition, Subscription.status.in_(("active", "pending")))  # type: ignore[arg-type]
    return list(await tx.scalars(statement.order_by(Subscription.id)))


# -- lists (api.md §6) --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and empty filters let everything through."""

    statuses: Sequence[str] = ()
    customer_id: uuid.UUID | None = None
    external_customer_id: str | None = None
    external_id: str | None = None
    plan_code: str | None = None
    currency: str | None = None
    overridden: bool | None = None
    billing_entity_ids: Ids = ()


def listing(organization_id: uuid.UUID, filters: Filters) -> Select[Subscription]:
    """Subscriptions by their requested start, the latest first."""
    statement = (
        select(Subscription)
        .join(Customer, Customer.id == Subscription.customer_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(Subscription.organization_id == organization_id)
    )
    for value, column in (
        (filters.customer_id, Subscription.customer_id),
        (filters.external_customer_id, Customer.external_id),
        (filters.external_id, Subscription.external_id),
        (filters.plan_code, Plan.code),
        (filters.currency, Plan.amount_currency),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if filters.statuses:
        statement = statement.where(Subscription.status.in_(filters.statuses))
    if filters.overridden is not None:
        statement = statement.where(Plan.parent_id.is_not(None) if filters.overridden else Plan.parent_id.is_(None))
    if filters.billing_entity_ids:
        issuer = func.coalesce(Subscription.billing_entity_id, Customer.billing_entity_id)
        statement = statement.where(issuer.in_(filters.billing_entity_ids))
    return statement.order_by(
        Subscription.subscription_at.desc().nulls_last(), Subscription.created_at.desc(), Subscription.id
    )
