"""Wire JSON of instant estimates: the reduced fee object of api.md §15.20. Knows no prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tallystick.core.contract import ChargeTerms, Contract, PriceFilter
from tallystick.core.money import precise
from tallystick.core.rating import InstantPrice
from tallystick.ground.wire import dec
from tallystick.rooms.invoices.fee_items import filter_name


def instant_fee(
    contract: Contract,
    charge: ChargeTerms,
    bucket: PriceFilter | None,
    units: Decimal,
    price: InstantPrice,
    transaction_id: str,
) -> dict[str, Any]:
    """The estimated fee of one event; its unit price is in minor units, as the contract has it."""
    currency = contract.plan.currency
    return {
        "lago_id": None,
        "lago_charge_id": charge.id,
        "lago_charge_filter_id": bucket.id if bucket else None,
        "lago_invoice_id": None,
        "lago_true_up_fee_id": None,
        "lago_true_up_parent_fee_id": None,
        "lago_subscription_id": contract.subscription_id,
        "external_subscription_id": contract.external_id,
        "lago_customer_id": contract.customer.id,
        "external_customer_id": contract.customer.external_id,
        "item": _item(charge, bucket),
        "pay_in_advance": True,
        "invoiceable": charge.invoiceable,
        "amount_cents": price.amount_cents,
        "amount_currency": currency,
        "precise_amount": dec(precise(price.amount)),
        "precise_total_amount": dec(precise(price.amount)),
        "taxes_amount_cents": 0,
        "taxes_precise_amount": 0,
        "taxes_rate": 0,
        "total_amount_cents": price.amount_cents,
        "total_amount_currency": currency,
        "units": dec(units),
        "description": None,
        "precise_unit_amount": dec(precise(price.unit_price_cents)),
        "precise_coupons_amount_cents": "0.0",
        "events_count": 1,
        "payment_status": "pending",
        "created_at": None,
        "succeeded_at": None,
        "failed_at": None,
        "refunded_at": None,
        "amount_details": None,
        "event_transaction_id": transaction_id,
    }


def _item(charge: ChargeTerms, bucket: PriceFilter | None) -> dict[str, Any]:
    metric = charge.metric
    values = {key: list(texts) for key, texts in bucket.given_values.items()} if bucket else None
    return {
        "type": "charge",
        "code": metric.code,
        "name": metric.name,
        "description": None,
        "invoice_display_name": charge.invoice_display_name or metric.name,
        "filters": values,
        "filter_invoice_display_name": filter_name(values, bucket.invoice_display_name if bucket else None),
        "lago_item_id": metric.id,
        "item_type": "BillableMetric",
        "grouped_by": {},
    }
