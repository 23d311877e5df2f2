"""Which charges are right: the rules of rating.md §2 that tie a charge to its metric. It reads and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.core.rating import DEFAULTS, ChargeModel, normalize, validate
from tallystick.ground.errors import Problems
from tallystick.ground.tables import BillableMetric, Charge

MODELS = frozenset(model.value for model in ChargeModel)
IN_ADVANCE_AGGREGATIONS = frozenset(("count_agg", "sum_agg", "unique_count_agg", "custom_agg"))
PRORATED_MODELS = {True: frozenset(("standard",)), False: frozenset(("standard", "volume", "graduated"))}


def check(charge: Charge, metric: BillableMetric, problems: Problems) -> None:
    """Add what is wrong with a charge, its properties included (rating.md §2)."""
    if charge.charge_model not in MODELS:
        problems.add("charge_model", "value_is_invalid")
        return
    for wrong, field, code in _wrongs(charge, metric):
        if wrong:
            problems.add(field, code)
    check_properties(charge.charge_model, metric, charge.properties, problems)


def check_properties(
    charge_model: str, metric: BillableMetric, properties: Mapping[str, Any] | None, problems: Problems
) -> None:
    """Add what is wrong with the properties of a charge or a filter; blank ones mean the model's default."""
    asked = properties or DEFAULTS[ChargeModel(charge_model)]
    if errors := validate(charge_model, asked, aggregation_type=metric.aggregation_type):
        problems.add("properties", *errors)


def stored_properties(
    charge_model: str, properties: Mapping[str, Any] | None, *, of_filter: bool = False
) -> dict[str, Any]:
    """Valid properties as they are kept."""
    return dict(normalize(charge_model, properties or {}, of_filter=of_filter))


def _wrongs(charge: Charge, metric: BillableMetric) -> tuple[tuple[bool, str, str], ...]:
    model, kind, in_advance = charge.charge_model, metric.aggregation_type, charge.pay_in_advance
    other_metric = (model == "dynamic" and kind != "sum_agg") or (model == "custom" and kind != "custom_agg")
    can_prorate = metric.recurring and kind != "weighted_sum_agg" and model in PRORATED_MODELS[in_advance]
    regroups = charge.regroup_paid_fees is not None
    return (
        (other_metric, "charge_model", "invalid_aggregation_type_or_charge_model"),
        (
            in_advance and (model == "volume" or kind not in IN_ADVANCE_AGGREGATIONS),
            *("pay_in_advance", "invalid_aggregation_type_or_charge_model"),
        ),
        (charge.prorated and not can_prorate, "prorated", "invalid_billable_metric_or_charge_model"),
        (not charge.invoiceable and not in_advance, "invoiceable", "must_be_true_unless_pay_in_advance"),
        (charge.regroup_paid_fees not in (None, "invoice"), "regroup_paid_fees", "value_is_invalid"),
        (
            regroups and (not in_advance or charge.invoiceable),
            *("regroup_paid_fees", "only_compatible_with_pay_in_advance_and_non_invoiceable"),
        ),
        (charge.min_amount_cents < 0, "min_amount_cents", "value_is_out_of_range"),
        (charge.min_amount_cents > 0 and in_advance, "min_amount_cents", "not_compatible_with_pay_in_advance"),
    )
