"""Wire JSON of explanations (docs/user/explain.md): an event's way to its fees, and a fee's way to its amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.explain import in_words
from tallystick.core.money import EXACT, dec_text
from tallystick.core.verdict import COUNTING, bucket_sentence, sentence
from tallystick.flows.explain.chain import Period
from tallystick.flows.explain.event import ChargeVerdict, EventExplanation
from tallystick.flows.explain.fee import FeeEvent, FeeExplanation
from tallystick.ground.tables import Event, Fee, FeeTax
from tallystick.ground.wire import dec, dec_or_none, dt_, dt_or_none, last_second, num
from tallystick.rooms.metering import views

Wire = dict[str, Any]


def event_explanation(found: EventExplanation) -> Wire:
    """The `explanation` of an event."""
    counted = [one for one in found.charges if one.code in COUNTING]
    told = counted[0] if counted else (found.charges[0] if found.charges else None)
    words = _words(found.event, found.metric.field_name if found.metric else None, told)
    return {
        "counted": bool(counted),
        "code": found.code.value,
        "sentence": sentence(found.code, words),
        "event": views.events([found.event])[0],
        "billable_metric": _metric(found),
        "subscription": _subscription(found),
        "period": _period(found.period) if found.period else None,
        "charges": [_charge(found.event, one) for one in found.charges],
    }


def _words(event: Event, field: str | None, told: ChargeVerdict | None) -> dict[str, str | None]:
    return {
        "code": event.code,
        "subscription": event.external_subscription_id,
        "field": field,
        "value": told.value if told else None,
        "units": dec(told.units) if told else None,
    }


def _metric(found: EventExplanation) -> Wire | None:
    metric = found.metric
    if metric is None:
        return None
    return {
        "lago_id": metric.id,
        "code": metric.code,
        "name": metric.name,
        "aggregation_type": metric.aggregation_type,
        "field_name": metric.field_name,
        "recurring": metric.recurring,
    }


def _subscription(found: EventExplanation) -> Wire | None:
    contract = found.contract
    if contract is None:
        return None
    return {
        "lago_id": contract.subscription_id,
        "external_id": contract.external_id,
        "external_customer_id": contract.customer.external_id,
        "status": contract.status,
        "plan_code": contract.plan.code,
        "started_at": dt_or_none(contract.started_at),
        "terminated_at": dt_or_none(contract.terminated_at),
    }


def _period(period: Period) -> Wire:
    invoice = period.invoice
    return {
        "from_datetime": dt_(period.window.start_at),
        "to_datetime": dt_(last_second(period.window.end_at)),
        "invoice": None
        if invoice is None
        else {
            "lago_id": invoice.id,
            "number": invoice.number,
            "status": invoice.status,
            "finalized_at": dt_or_none(invoice.finalized_at),
        },
    }


def _charge(event: Event, verdict: ChargeVerdict) -> Wire:
    charge, bucket = verdict.charge, verdict.bucket
    return {
        "charge": {
            "lago_id": charge.id,
            "code": charge.code,
            "charge_model": charge.model.value,
            "pay_in_advance": charge.pay_in_advance,
            "prorated": charge.prorated,
            "invoice_display_name": charge.invoice_display_name,
        },
        "counted": verdict.code in COUNTING,
        "code": verdict.code.value,
        "sentence": sentence(verdict.code, _words(event, charge.metric.field_name, verdict)),
        "value": verdict.value,
        "units": dec(verdict.units),
        "bucket": {
            "code": verdict.bucket_code.value,
            "sentence": bucket_sentence(verdict.bucket_code, verdict.undeclared),
            "filter": {
                "lago_id": bucket.id,
                "invoice_display_name": bucket.invoice_display_name,
                "values": bucket.given_values,
            }
            if bucket
            else None,
            "undeclared_values": verdict.undeclared,
        },
        "grouped_by": verdict.grouped_by,
        "fee": _fee(verdict.fee) if verdict.fee else None,
    }


def _fee(fee: Fee) -> Wire:
    return {
        "lago_id": fee.id,
        "lago_invoice_id": fee.invoice_id,
        "amount_cents": fee.amount_cents,
        "amount_currency": fee.currency,
        "units": dec(fee.units),
    }


def fee_explanation(found: FeeExplanation, fee: Mapping[str, Any]) -> Wire:
    """The `explanation` of a fee; `fee` is the fee as it is shown everywhere."""
    row = found.fee
    return {
        "fee": fee,
        "trace": in_words(row.trace),
        "taxes": _taxes(row, found.taxes),
        "units_today": dec_or_none(found.units_now),
        "unchanged": None if found.units_now is None else dec_text(found.units_now) == row.trace["units"],
    }


def _taxes(fee: Fee, rows: Sequence[FeeTax]) -> Wire:
    """Each tax with its base; the total is rounded once over all of them (credits.md §2.3)."""
    base = EXACT.subtract(Decimal(fee.amount_cents), fee.precise_coupons_amount_cents)
    return {
        "base_cents": dec(base),
        "amount_cents": fee.taxes_amount_cents,
        "rate": num(fee.taxes_rate),
        "applied_taxes": [_tax(base, row) for row in rows],
    }


def _tax(base: Decimal, row: FeeTax) -> Wire:
    exact = EXACT.divide(EXACT.multiply(base, row.tax_rate), Decimal(100))
    rate = dec(row.tax_rate)
    return {
        "tax_code": row.tax_code,
        "tax_name": row.tax_name,
        "tax_rate": num(row.tax_rate),
        "base_cents": dec(base),
        "exact_cents": dec(exact),
        "amount_cents": row.amount_cents,
        "sentence": f"{rate} % of {dec(base)} cents = {dec(exact)}, rounded half away from zero = {row.amount_cents}",
    }


def fee_events(events: Sequence[FeeEvent]) -> list[Wire]:
    """The events behind a fee, each with what it adds."""
    return [
        {
            "event": body,
            "code": one.code.value,
            "sentence": sentence(one.code, {"value": one.value, "units": dec(one.units)}),
            "value": one.value,
            "units": dec(one.units),
        }
        for one, body in zip(events, views.events([one.event for one in events]), strict=True)
    ]
