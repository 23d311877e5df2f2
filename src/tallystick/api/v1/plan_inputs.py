"""Bodies of plans, charges and filters as callers send them. What they mean is checked in the catalog room."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Codes, Flag, Input, Label, Number, Object, Shape, Text, Whole


class FilterInput(Input):
    """A charge filter (metering.md §4.1)."""

    values: Object = None
    properties: Object = None
    invoice_display_name: Text = None
    cascade_updates: Flag = None


class ChargeInput(Input):
    """A charge (rating.md §2); `id` names one that exists."""

    id: Label = None
    billable_metric_id: Label = None
    code: Label = None
    charge_model: Label = None
    invoice_display_name: Text = None
    pay_in_advance: Flag = None
    prorated: Flag = None
    invoiceable: Flag = None
    regroup_paid_fees: Label = None
    min_amount_cents: Whole = None
    accepts_target_wallet: Flag = None
    applied_pricing_unit: Object = None
    properties: Object = None
    filters: Annotated[list[FilterInput] | None, Shape.ARRAY] = None
    tax_codes: Codes = None
    cascade_updates: Flag = None


class FixedChargeInput(Input):
    """A fixed charge (rating.md §16); `id` names one that exists."""

    id: Label = None
    add_on_id: Label = None
    add_on_code: Label = None
    code: Label = None
    charge_model: Label = None
    invoice_display_name: Text = None
    units: Number = None
    pay_in_advance: Flag = None
    prorated: Flag = None
    apply_units_immediately: Flag = None
    properties: Object = None
    tax_codes: Codes = None
    cascade_updates: Flag = None


class CommitmentInput(Input):
    """A minimum commitment (subscriptions.md §1.1)."""

    amount_cents: Whole = None
    invoice_display_name: Text = None
    tax_codes: Codes = None


class ThresholdInput(Input):
    """A usage threshold (subscriptions.md §5.1)."""

    amount_cents: Whole = None
    threshold_display_name: Text = None
    recurring: Flag = None


class PlanOverridesInput(Input):
    """What a subscription may override of its plan (subscriptions.md §1.4)."""

    name: Label = None
    invoice_display_name: Text = None
    description: Text = None
    amount_cents: Whole = None
    amount_currency: Label = None
    trial_period: Number = None
    tax_codes: Codes = None
    charges: Annotated[list[ChargeInput] | None, Shape.ARRAY] = None
    fixed_charges: Annotated[list[FixedChargeInput] | None, Shape.ARRAY] = None
    minimum_commitment: Annotated[CommitmentInput | None, Shape.OBJECT] = None
    usage_thresholds: Annotated[list[ThresholdInput] | None, Shape.ARRAY] = None


class PlanInput(PlanOverridesInput):
    """A plan (subscriptions.md §1.1)."""

    code: Label = None
    interval: Label = None
    pay_in_advance: Flag = None
    bill_charges_monthly: Flag = None
    bill_fixed_charges_monthly: Flag = None
    metadata: Object = None
    cascade_updates: Flag = None


def contents(given: Any) -> Any:
    """What the caller sent, as plain dicts and lists, at every depth; absent keys stay absent."""
    if isinstance(given, Input):
        return {name: contents(value) for name, value in given.given().items()}
    return [contents(item) for item in given] if isinstance(given, list) else given


def cascading(call: Call, root: str) -> dict[str, Any]:
    """`cascade_updates`, which may also stand beside the resource (api.md §1)."""
    return {"cascade_updates": call.flag_of(root, "cascade_updates")}


def sent(call: Call, root: str, model: type[Input], *, drop_nulls: bool = False) -> dict[str, Any]:
    """The body of a plan or of a part of it, with `cascade_updates` wherever it stands."""
    return {**contents(call.read(root, model, drop_nulls=drop_nulls)), **cascading(call, root)}
