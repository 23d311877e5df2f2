"""Wire JSON of metrics, plans, their parts and add-ons (api.md §15.7-§15.12, webhooks.md §4.7-§4.9, in their order).

Whole plans join taxes and entitlements and are composed in `flows/wire/plans.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tallystick.ground.tables import (
    AddOn,
    BillableMetric,
    Charge,
    ChargeFilter,
    FixedCharge,
    MinimumCommitment,
    Plan,
    PricingUnit,
    UsageThreshold,
)
from tallystick.ground.wire import dec, dt_, num

METRIC_COUNTERS = ("active_subscriptions_count", "draft_invoices_count", "plans_count")
PLAN_COUNTERS = ("customers_count", "active_subscriptions_count", "draft_invoices_count")


def metric(row: BillableMetric, *, counters: bool = False) -> dict[str, Any]:
    """A billable metric; the counters are constants, and absent where it is shown alone or nested."""
    body: dict[str, Any] = {
        "lago_id": row.id,
        "name": row.name,
        "code": row.code,
        "description": row.description,
        "aggregation_type": row.aggregation_type,
        "weighted_interval": row.weighted_interval,
        "recurring": row.recurring,
        "rounding_function": row.rounding_function,
        "rounding_precision": row.rounding_precision,
        "created_at": dt_(row.created_at),
        "field_name": row.field_name,
        "expression": row.expression,
        "filters": [{"key": key, "values": sorted(row.filters[key])} for key in sorted(row.filters)],
    }
    return {**body, **dict.fromkeys(METRIC_COUNTERS, 0)} if counters else body


def plan(row: Plan) -> dict[str, Any]:
    """A plan without the objects that belong to it."""
    return {
        "lago_id": row.id,
        "name": row.name,
        "invoice_display_name": row.invoice_display_name,
        "created_at": dt_(row.created_at),
        "code": row.code,
        "interval": row.interval,
        "description": row.description,
        "amount_cents": row.amount_cents,
        "amount_currency": row.amount_currency,
        "trial_period": None if row.trial_period is None else num(row.trial_period),
        "pay_in_advance": row.pay_in_advance,
        "bill_charges_monthly": row.bill_charges_monthly,
        "bill_fixed_charges_monthly": row.bill_fixed_charges_monthly,
        **dict.fromkeys(PLAN_COUNTERS, 0),
        "parent_id": row.parent_id,
        "pending_deletion": row.pending_deletion,
    }


def pricing_unit(row: PricingUnit) -> dict[str, Any]:
    """A pricing unit (rating.md §15)."""
    return {
        "lago_id": row.id,
        "code": row.code,
        "name": row.name,
        "short_name": row.short_name,
        "description": row.description,
        "created_at": dt_(row.created_at),
    }


def charge(
    row: Charge, metric_code: str, pricing_unit_code: str | None, filters: Sequence[ChargeFilter]
) -> dict[str, Any]:
    """A charge with its filters, without its taxes."""
    rate = row.conversion_rate
    return {
        "lago_id": row.id,
        "lago_billable_metric_id": row.billable_metric_id,
        "code": row.code,
        "invoice_display_name": row.invoice_display_name,
        "billable_metric_code": metric_code,
        "created_at": dt_(row.created_at),
        "charge_model": row.charge_model,
        "invoiceable": row.invoiceable,
        "regroup_paid_fees": row.regroup_paid_fees,
        "pay_in_advance": row.pay_in_advance,
        "prorated": row.prorated,
        "min_amount_cents": row.min_amount_cents,
        "accepts_target_wallet": row.accepts_target_wallet,
        "properties": row.properties,
        "applied_pricing_unit": None if rate is None else {"conversion_rate": dec(rate), "code": pricing_unit_code},
        "lago_parent_id": row.parent_id,
        "filters": [charge_filter(one, row.code) for one in filters],
    }


def charge_filter(row: ChargeFilter, charge_code: str) -> dict[str, Any]:
    """A filter of a charge."""
    return {
        "lago_id": row.id,
        "charge_code": charge_code,
        "invoice_display_name": row.invoice_display_name,
        "properties": row.properties,
        "values": row.values,
    }


def fixed_charge(row: FixedCharge, add_on_code: str, units: Decimal) -> dict[str, Any]:
    """A fixed charge without its taxes; `units` are the plan's or the subscription's own (sdk-compat.md R1)."""
    return {
        "lago_id": row.id,
        "lago_add_on_id": row.add_on_id,
        "code": row.code,
        "invoice_display_name": row.invoice_display_name or "",
        "add_on_code": add_on_code,
        "created_at": dt_(row.created_at),
        "charge_model": row.charge_model,
        "pay_in_advance": row.pay_in_advance,
        "prorated": row.prorated,
        "properties": row.properties,
        "units": dec(units),
        "lago_parent_id": row.parent_id,
    }


def commitment(row: MinimumCommitment, of: Plan, taxes: list[dict[str, Any]]) -> dict[str, Any]:
    """The minimum commitment of a plan."""
    return {
        "lago_id": row.id,
        "plan_code": of.code,
        "invoice_display_name": row.invoice_display_name,
        "amount_cents": row.amount_cents,
        "interval": of.interval,
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
        "taxes": taxes,
    }


def threshold(row: UsageThreshold) -> dict[str, Any]:
    """A usage threshold (webhooks.md §4.8)."""
    return {
        "lago_id": row.id,
        "threshold_display_name": row.threshold_display_name,
        "amount_cents": row.amount_cents,
        "recurring": row.recurring,
        "created_at": dt_(row.created_at),
        "updated_at": dt_(row.updated_at),
    }


def applicable_threshold(row: UsageThreshold) -> dict[str, Any]:
    """A usage threshold as it applies to a subscription (webhooks.md §4.6)."""
    return {
        "threshold_display_name": row.threshold_display_name,
        "amount_cents": row.amount_cents,
        "recurring": row.recurring,
    }


def add_on(row: AddOn) -> dict[str, Any]:
    """An add-on without its taxes."""
    return {
        "lago_id": row.id,
        "name": row.name,
        "invoice_display_name": row.invoice_display_name,
        "code": row.code,
        "description": row.description,
        "amount_cents": row.amount_cents,
        "amount_currency": row.amount_currency,
        "created_at": dt_(row.created_at),
    }
