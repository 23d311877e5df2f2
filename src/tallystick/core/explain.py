"""Traces: how each fee came to its amount, as plain data that is stored beside it (design law 8).

Numbers are `dec` texts, instants ISO 8601 in UTC with exclusive ends. Nothing is computed here but words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tallystick.core.commitments import Reconciled, Shortfall
from tallystick.core.contract import ChargeTerms, FixedChargeTerms
from tallystick.core.fixed_charges import Raise, RatedUnits
from tallystick.core.in_advance import Step as EventStep
from tallystick.core.metering import MeteredBucket
from tallystick.core.money import dec_text
from tallystick.core.pricing_units import ChargeAmounts, InUnits
from tallystick.core.rating import EventPrice, FeeAmounts, Price, Step, StepKind, TrueUp
from tallystick.core.windows import Window

Trace = Mapping[str, Any]


def plan_trace(plan_amount_cents: int, days: int, full_days: int, exact: Decimal, cents: int, window: Window) -> Trace:
    """A plan fee: price × days / full days, rounded half away from zero (subscriptions.md §4.2)."""
    return {
        "window": _window(window),
        "proration": {"plan_amount_cents": plan_amount_cents, "days": days, "full_days": full_days},
        "rounding": {"rule": "half away from zero", "exact_cents": dec_text(exact), "cents": cents},
    }


def charge_trace(
    charge: ChargeTerms,
    bucket: MeteredBucket,
    price: Price,
    amounts: FeeAmounts,
    window: Window,
    window_days: int,
    duration_days: int,
) -> Trace:
    """A usage fee: window, aggregation, units, the steps of its price, rounding, and proration where there is one."""
    metric, usage = charge.metric, bucket.usage
    trace: dict[str, Any] = {
        "window": _window(window),
        "aggregation": {
            "metric": metric.code,
            "type": metric.aggregation_type,
            "field": metric.field_name,
            "recurring": metric.recurring,
            "events": usage.events_count,
        },
        "units": dec_text(usage.units),
        "model": charge.model.value,
        "steps": [_step(step) for step in price.trace],
        "rounding": {
            "rule": "half away from zero",
            "exact_cents": dec_text(amounts.precise_amount_cents),
            "cents": amounts.amount_cents,
        },
    }
    if metric.rounding_function:
        trace["aggregation"]["rounding"] = [metric.rounding_function, metric.rounding_precision or 0]
    if bucket.filter_id is not None:
        trace["filter"] = str(bucket.filter_id)
    if bucket.grouped_by:
        trace["group"] = dict(bucket.grouped_by)
    if charge.prorated:
        full = dec_text(usage.full_units)
        trace["proration"] = {"days": window_days, "full_days": duration_days, "full_units": full}
    return trace


def event_trace(charge: ChargeTerms, step: EventStep, price: EventPrice, amounts: FeeAmounts, window: Window) -> Trace:
    """One event of a charge paid in advance: the price up to it, less the price without it (rating.md §12)."""
    metric = charge.metric
    trace: dict[str, Any] = {
        "window": _window(window),
        "aggregation": {
            "metric": metric.code,
            "type": metric.aggregation_type,
            "field": metric.field_name,
            "recurring": metric.recurring,
            "events": step.events,
        },
        "units": dec_text(step.units),
        "new_units": dec_text(step.raised),
        "model": charge.model.value,
        "with_event": {
            "amount": dec_text(price.with_price.amount),
            "steps": [_step(one) for one in price.with_price.trace],
        },
        "without_event": {"amount": dec_text(price.without_price.amount)},
        "rounding": {
            "rule": "half away from zero",
            "exact_cents": dec_text(amounts.precise_amount_cents),
            "cents": amounts.amount_cents,
        },
    }
    if step.filter_id is not None:
        trace["filter"] = str(step.filter_id)
    if step.grouped_by:
        trace["group"] = dict(step.grouped_by)
    return trace


def pricing_unit_trace(priced: InUnits | None) -> Trace:
    """How pricing units became money (rating.md §15); nothing for a charge that is priced in money."""
    if priced is None:
        return {}
    return {
        "pricing_unit": {
            "code": priced.unit.code,
            "exact_hundredths": dec_text(priced.amounts.precise_amount_cents),
            "hundredths": priced.amounts.amount_cents,
            "conversion_rate": dec_text(priced.unit.conversion_rate),
        }
    }


def add_on_trace(units: Decimal, unit_amount_cents: int, exact: Decimal, cents: int) -> Trace:
    """A line of a one-off invoice: units × unit amount (invoicing.md §3.2)."""
    return {
        "units": dec_text(units),
        "unit_amount_cents": unit_amount_cents,
        "rounding": {"rule": "half away from zero", "exact_cents": dec_text(exact), "cents": cents},
    }


def top_up_trace(credits: Decimal, rate: Decimal, cents: int) -> Trace:
    """Credits that are bought: credits × rate, aligned to whole minor units before (wallets.md §2)."""
    return {"credits": dec_text(credits), "rate_amount": dec_text(rate), "cents": cents}


def true_up_trace(min_amount_cents: int, missing: TrueUp, days: int, full_days: int, used_cents: int) -> Trace:
    """A true-up: what usage left of the charge's minimum (rating.md §13)."""
    return {
        "minimum": {
            "min_amount_cents": min_amount_cents,
            "days": days,
            "full_days": full_days,
            "prorated_cents": dec_text(missing.minimum_cents),
            "used_cents": used_cents,
        },
        "rounding": {
            "rule": "half away from zero",
            "exact_cents": dec_text(missing.precise_amount_cents),
            "cents": missing.amount_cents,
        },
    }


def fixed_charge_trace(
    charge: FixedChargeTerms,
    units: RatedUnits,
    price: Price,
    amounts: FeeAmounts,
    window: Window,
    full_days: int,
    credit_cents: int,
) -> Trace:
    """A fixed charge: the units of each change, the steps of their price, rounding, and what an old plan paid of it."""
    trace: dict[str, Any] = {
        "window": _window(window),
        "units": dec_text(units.rated),
        "model": charge.model.value,
        "steps": [_step(step) for step in price.trace],
        "rounding": _rounding(amounts),
    }
    if charge.prorated:
        trace["proration"] = {
            "days": sum(share.days for share in units.shares),
            "full_days": full_days,
            "full_units": dec_text(units.full),
            "shares": [
                {"units": dec_text(share.units), "days": share.days, "weighted": dec_text(share.weighted)}
                for share in units.shares
            ],
        }
    if credit_cents:
        trace["old_plan"] = {"credit_cents": credit_cents}
    return trace


def raise_trace(
    charge: FixedChargeTerms,
    units: Decimal,
    billed_units: Decimal,
    added: Raise,
    price: Price,
    amounts: FeeAmounts,
    window: Window,
    full_days: int,
) -> Trace:
    """A change of units within a period paid in advance: what it adds to the units billed (rating.md §16.4)."""
    trace: dict[str, Any] = {
        "window": _window(window),
        "change": {"units": dec_text(units), "billed_units": dec_text(billed_units), "added": dec_text(added.units)},
        "units": dec_text(added.rated),
        "model": charge.model.value,
        "steps": [_step(step) for step in price.trace],
        "rounding": _rounding(amounts),
    }
    if charge.prorated:
        trace["proration"] = {"days": added.days, "full_days": full_days}
    return trace


def commitment_trace(amount_cents: int, period: Reconciled, billed_cents: int, missing: Shortfall) -> Trace:
    """A minimum commitment: its share for the days of the period, less the fees of the period (rating.md §17)."""
    return {
        "window": _window(period.window),
        "commitment": {
            "amount_cents": amount_cents,
            "days": period.days,
            "full_days": period.full_days,
            "prorated_cents": missing.committed_cents,
            "billed_cents": billed_cents,
        },
        "rounding": {
            "rule": "half away from zero",
            "exact_cents": dec_text(missing.precise_amount_cents),
            "cents": missing.amount_cents,
        },
    }


def adjusted_trace(units: Decimal, price: Price | None, amounts: ChargeAmounts) -> Trace:
    """A line corrected by hand: units that are given, at a given price or priced by the model (rating.md §19)."""
    trace: dict[str, Any] = {
        "adjusted": {"units": dec_text(units), "unit_amount": dec_text(amounts.money.precise_unit_amount)},
        "units": dec_text(units),
        "rounding": _rounding(amounts.money),
        **pricing_unit_trace(amounts.in_units),
    }
    return trace if price is None else {**trace, "steps": [_step(step) for step in price.trace]}


def _rounding(amounts: FeeAmounts) -> dict[str, Any]:
    return {
        "rule": "half away from zero",
        "exact_cents": dec_text(amounts.precise_amount_cents),
        "cents": amounts.amount_cents,
    }


def _window(window: Window) -> dict[str, str]:
    return {"from": _instant(window.start_at), "to": _instant(window.end_at)}


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": step.kind.value,
        "units": dec_text(step.units),
        "price": dec_text(step.price),
        "amount": dec_text(step.amount),
    }
    if step.low is not None:
        shown["above"] = dec_text(step.low)
        shown["up_to"] = None if step.high is None else dec_text(step.high)
    return shown


# -- stored traces in words -------------------------------------------------------------------------


def in_words(trace: Trace) -> dict[str, Any]:
    """A stored trace with a sentence for each of its steps, and for what happened around them."""
    told = _told(trace)
    if "with_event" in told:
        told["with_event"] = _told(told["with_event"])
    return {**told, "sentences": [tell(trace[name]) for name, tell in _AROUND.items() if name in trace]}


def _told(part: Trace) -> dict[str, Any]:
    if "steps" not in part:
        return dict(part)
    return {**part, "steps": [{**step, "sentence": _step_of(step).sentence()} for step in part["steps"]]}


def _step_of(shown: Mapping[str, Any]) -> Step:
    low, high = shown.get("above"), shown.get("up_to")
    return Step(
        StepKind(shown["kind"]),
        Decimal(shown["amount"]),
        Decimal(shown["units"]),
        Decimal(shown["price"]),
        None if low is None else Decimal(low),
        None if high is None else Decimal(high),
    )


def _proration_in_words(proration: Mapping[str, Any]) -> str:
    share = f"{proration['days']} of {proration['full_days']} days"
    if "plan_amount_cents" in proration:
        return f"{proration['plan_amount_cents']} cents for {share}"
    if "full_units" in proration:
        return f"{proration['full_units']} units, weighed by their days; the period has {share}"
    return share


def _minimum_in_words(minimum: Mapping[str, Any]) -> str:
    share = f"{minimum['days']} of {minimum['full_days']} days"
    return (
        f"the minimum of {minimum['min_amount_cents']} cents is {minimum['prorated_cents']} cents for {share};"
        f" usage amounts to {minimum['used_cents']} cents"
    )


def _change_in_words(change: Mapping[str, Any]) -> str:
    return f"{change['units']} units, {change['billed_units']} of the period billed before: {change['added']} more"


def _commitment_in_words(commitment: Mapping[str, Any]) -> str:
    share = f"{commitment['days']} of {commitment['full_days']} days"
    return (
        f"the commitment of {commitment['amount_cents']} cents is {commitment['prorated_cents']} cents for {share};"
        f" the fees of the period amount to {commitment['billed_cents']} cents"
    )


def _old_plan_in_words(old_plan: Mapping[str, Any]) -> str:
    return f"less {old_plan['credit_cents']} cents that the old plan was paid for the same days"


def _pricing_unit_in_words(priced: Mapping[str, Any]) -> str:
    return (
        f"{priced['exact_hundredths']} hundredths of {priced['code']} rounded half away from zero"
        f" = {priced['hundredths']}; one {priced['code']} costs {priced['conversion_rate']}"
    )


def _adjusted_in_words(adjusted: Mapping[str, Any]) -> str:
    return f"corrected by hand: {adjusted['units']} units at {adjusted['unit_amount']}"


def _rounding_in_words(rounding: Mapping[str, Any]) -> str:
    return f"{rounding['exact_cents']} cents rounded {rounding['rule']} = {rounding['cents']} cents"


_AROUND: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "adjusted": _adjusted_in_words,
    "change": _change_in_words,
    "proration": _proration_in_words,
    "minimum": _minimum_in_words,
    "commitment": _commitment_in_words,
    "pricing_unit": _pricing_unit_in_words,
    "rounding": _rounding_in_words,
    "old_plan": _old_plan_in_words,
}
