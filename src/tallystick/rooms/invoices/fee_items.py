"""What a fee is for, by name: its metric, plan, add-on, filter and groups (webhooks.md §4.3 `item`).

Deleted metrics, plans, charges, filters and add-ons keep their names here: documents go on showing them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, UUID, cast, column, func, select

from tallystick.core.contract import ALL_VALUES
from tallystick.ground.db import Tx
from tallystick.ground.tables import (
    AddOn,
    BillableMetric,
    Charge,
    ChargeFilter,
    Customer,
    Fee,
    FixedCharge,
    Invoice,
    Plan,
    Subscription,
    WalletTransaction,
)


@dataclass(frozen=True, slots=True)
class Named:
    """What other rooms call the things that a fee points to; None where it points to nothing."""

    external_subscription_id: str | None
    subscription_name: str | None
    customer_id: uuid.UUID | None
    external_customer_id: str | None
    plan_code: str | None
    plan_name: str | None
    plan_description: str | None
    plan_display_name: str | None
    charge_display_name: str | None
    invoiceable: bool | None
    metric_id: uuid.UUID | None
    metric_code: str | None
    metric_name: str | None
    metric_description: str | None
    filter_values: dict[str, list[str]] | None
    filter_display_name: str | None
    add_on_code: str | None
    add_on_name: str | None
    add_on_description: str | None
    add_on_display_name: str | None
    fixed_charge_display_name: str | None
    self_billed: bool | None
    wallet_transaction_id: uuid.UUID | None
    wallet_transaction_name: str | None


_POINTERS = ("id", "subscription_id", "charge_id", "charge_filter_id", "add_on_id", "fixed_charge_id", "invoice_id")


async def names_of(
    tx: Tx, fees: Sequence[Fee], plans: Mapping[uuid.UUID, uuid.UUID] | None = None
) -> dict[uuid.UUID, Named]:
    """fee -> its names, in one query; the fees need not be stored.

    `plans`: subscription -> plan, for subscriptions that are not stored either.
    """
    # arrays instead of a parameter for each fee: a set may hold more than a statement takes
    lists = [[getattr(fee, name) for fee in fees] for name in _POINTERS]
    lists.append([(plans or {}).get(fee.subscription_id) if fee.subscription_id else None for fee in fees])
    asked = (
        func.unnest(*(cast(ids, ARRAY(UUID(as_uuid=True))) for ids in lists))
        .table_valued(*(column(name, UUID(as_uuid=True)) for name in (*_POINTERS, "plan_id")), name="asked")
        .render_derived()
    )
    statement = (
        select(
            asked.c.id,
            Subscription.external_id,
            Subscription.name,
            Customer.id,
            Customer.external_id,
            Plan.code,
            Plan.name,
            Plan.description,
            Plan.invoice_display_name,
            Charge.invoice_display_name,
            Charge.invoiceable,
            BillableMetric.id,
            BillableMetric.code,
            BillableMetric.name,
            BillableMetric.description,
            ChargeFilter.values,
            ChargeFilter.invoice_display_name,
            AddOn.code,
            AddOn.name,
            AddOn.description,
            AddOn.invoice_display_name,
            FixedCharge.invoice_display_name,
            Invoice.self_billed,
            WalletTransaction.id,
            WalletTransaction.name,
        )
        .select_from(asked)
        .outerjoin(Subscription, Subscription.id == asked.c.subscription_id)
        .outerjoin(Customer, Customer.id == Subscription.customer_id)
        .outerjoin(Plan, Plan.id == func.coalesce(Subscription.plan_id, asked.c.plan_id))
        .outerjoin(Charge, Charge.id == asked.c.charge_id)
        .outerjoin(BillableMetric, BillableMetric.id == Charge.billable_metric_id)
        .outerjoin(ChargeFilter, ChargeFilter.id == asked.c.charge_filter_id)
        .outerjoin(AddOn, AddOn.id == asked.c.add_on_id)
        .outerjoin(FixedCharge, FixedCharge.id == asked.c.fixed_charge_id)
        .outerjoin(Invoice, Invoice.id == asked.c.invoice_id)
        .outerjoin(
            WalletTransaction,
            (WalletTransaction.invoice_id == asked.c.invoice_id)
            & (WalletTransaction.transaction_status == "purchased"),
        )
    )
    rows: Sequence[Sequence[Any]] = (await tx.execute(statement)).all()
    return {fee_id: Named(*names) for fee_id, *names in rows}


def item(fee: Fee, named: Named, *, webhook: bool) -> dict[str, Any]:
    """The `item` of a fee. REST spells groups without a value as empty text (sdk-compat.md R3)."""
    return {
        "type": fee.fee_type,
        **_SOURCES[fee.fee_type](fee, named),
        "grouped_by": fee.grouped_by if webhook else without_nulls(fee.grouped_by),
    }


def without_nulls(texts: Mapping[str, str | None]) -> dict[str, str]:
    """A map of texts in which a missing value is empty text."""
    return {key: value or "" for key, value in texts.items()}


def _of_metric(fee: Fee, named: Named) -> dict[str, Any]:
    return {
        "code": named.metric_code,
        "name": named.metric_name,
        "description": named.metric_description,
        "invoice_display_name": fee.invoice_display_name or named.charge_display_name or named.metric_name,
        "filters": named.filter_values,
        "filter_invoice_display_name": filter_name(named.filter_values, named.filter_display_name),
        "lago_item_id": named.metric_id,
        "item_type": "BillableMetric",
    }


def _of_plan(fee: Fee, named: Named) -> dict[str, Any]:
    own_name = fee.invoice_display_name or named.subscription_name
    return {
        "code": named.plan_code,
        "name": named.plan_name,
        "description": named.plan_description,
        "invoice_display_name": own_name or named.plan_display_name or named.plan_name,
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": fee.subscription_id,
        "item_type": "Subscription",
    }


def _of_add_on(fee: Fee, named: Named) -> dict[str, Any]:
    own_name = fee.invoice_display_name or named.fixed_charge_display_name
    return {
        "code": named.add_on_code,
        "name": named.add_on_name,
        "description": named.add_on_description,
        "invoice_display_name": own_name or named.add_on_display_name or named.add_on_name,
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": fee.add_on_id,
        "item_type": "AddOn",
    }


def _of_credits(fee: Fee, named: Named) -> dict[str, Any]:
    return {
        "code": "credit",
        "name": named.wallet_transaction_name or "credit",
        "description": "credit",
        "invoice_display_name": fee.invoice_display_name,
        "filters": None,
        "filter_invoice_display_name": None,
        "lago_item_id": named.wallet_transaction_id,
        "item_type": "WalletTransaction",
    }


_SOURCES = {
    "charge": _of_metric,
    "subscription": _of_plan,
    "commitment": _of_plan,
    "add_on": _of_add_on,
    "fixed_charge": _of_add_on,
    "credit": _of_credits,
}


def filter_name(values: Mapping[str, Sequence[str]] | None, display_name: str | None) -> str | None:
    """The filter's own name, else its values; a key that takes every value stands for them (webhooks.md §4.3)."""
    if values is None:
        return None
    texts = [text for key, own in values.items() for text in ([key] if list(own) == [ALL_VALUES] else own)]
    return display_name or ", ".join(texts)
