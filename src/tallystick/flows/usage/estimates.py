"""What events would cost if they were sent now; nothing is stored (metering.md §8).

An exact estimate walks the very path of billing inside a savepoint and takes it back. An instant one looks at the event
alone.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
from sqlalchemy import select

from tallystick.core.aggregate import bucket_of, numeric_value, text_value
from tallystick.core.contract import ChargeTerms, Contract, Metric
from tallystick.core.invoice import with_taxes
from tallystick.core.money import ONE, ZERO
from tallystick.core.rating import INSTANT_MODELS, instant_price, round_units
from tallystick.flows.billing.event_fees import Sale, event_fees, period_of
from tallystick.flows.billing.load import load_contracts
from tallystick.flows.billing.rate import properties_of
from tallystick.flows.wire.estimates import instant_fee
from tallystick.ground.db import Tx, raw_connection
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.json import dump_text
from tallystick.ground.tables import BillableMetric, Event, Subscription
from tallystick.rooms.invoices import standalone, store
from tallystick.rooms.invoices.fees import fees
from tallystick.rooms.invoices.standalone import Standalone
from tallystick.rooms.metering import store as metering
from tallystick.rooms.metering.store import EventRow

Wire = dict[str, Any]
_NO_CHARGE = ("code", "does_not_match_an_instant_charge")
_NUMERIC = ("sum_agg", "max_agg", "latest_agg")


@dataclass(frozen=True, slots=True)
class Imagined:
    """An event that nobody has sent: its properties are final, `transaction_id` is None when none was given."""

    code: str
    properties: Mapping[str, Any]
    precise_total_amount_cents: Decimal | None = None
    transaction_id: str | None = None


async def running_contract(tx: Tx, organization_id: uuid.UUID, external_id: str | None) -> Contract:
    """The contract of the subscription that is active now; 404 `subscription_not_found`."""
    subscription_id = await tx.scalar(
        select(Subscription.id).where(
            Subscription.organization_id == organization_id,
            Subscription.external_id == external_id,
            Subscription.status == "active",
        )
    )
    if subscription_id is None:
        raise NotFound("subscription")
    (contract,) = await load_contracts(tx, [subscription_id])
    return contract


async def check_property(tx: Tx, organization_id: uuid.UUID, code: str, properties: Mapping[str, Any]) -> None:
    """404 `billable_metric_not_found`; 422 when the aggregated property is there and no number (§8.1 rows 3 and 4)."""
    metric = (
        await tx.scalars(
            select(BillableMetric).where(
                BillableMetric.organization_id == organization_id,
                BillableMetric.code == code,
                BillableMetric.deleted_at.is_(None),
            )
        )
    ).one_or_none()
    if metric is None:
        raise NotFound("billable_metric")
    if metric.aggregation_type in _NUMERIC and text_value(properties, metric.field_name) is not None:
        _number(properties, metric.field_name)


async def estimate(tx: Tx, contract: Contract, event: Imagined, at: dt.datetime) -> list[Wire]:
    """The fees that the event would make now, one for each charge paid in advance on its metric (§8.1)."""
    charges = [charge for charge in _in_advance(contract) if charge.metric.code == event.code]
    if not charges:
        raise Invalid.field(*_NO_CHARGE)
    savepoint = await tx.begin_nested()
    try:
        stored = await _store(tx, contract, event, at)
        windows = period_of(contract, stored)
        made = await event_fees(tx, [Sale(stored, contract, charge, windows, at) for charge in charges])
        alone = [Standalone(contract.organization_id, contract.customer.id, with_taxes(fee), at) for fee in made]
        await standalone.write(tx, alone)
        rows = await store.fees_by_ids(tx, [fee.id for fee in made])
        bodies = await fees(tx, [rows[fee.id] for fee in made], with_taxes=True)
    except asyncpg.DataError as error:  # numbers out of all bounds
        raise Invalid.field("properties", "value_is_out_of_range") from error
    finally:
        await savepoint.rollback()
    return [{**body, "lago_id": None, "amount_details": {}} for body in bodies]


async def _store(tx: Tx, contract: Contract, event: Imagined, at: dt.datetime) -> Event:
    """The event as it would be stored, with an identity that nobody has."""
    columns: dict[str, Any] = {
        "organization_id": contract.organization_id,
        "id": new_id(),
        "transaction_id": str(uuid.uuid4()),
        "external_subscription_id": contract.external_id,
        "code": event.code,
        "timestamp": at,
        "precise_total_amount_cents": event.precise_total_amount_cents,
        "created_at": at,
    }
    row = EventRow(properties=dump_text(dict(event.properties)), **columns)
    await metering.insert(await raw_connection(tx), [row])
    return Event(properties=dict(event.properties), **columns)


def estimate_instantly(contract: Contract, event: Imagined) -> list[Wire]:
    """The fees of the event for itself (§8.2); 422 when no charge of the plan has such estimates for its code."""
    charges = [charge for charge in _instant(contract) if charge.metric.code == event.code]
    if not charges:
        raise Invalid.field(*_NO_CHARGE)
    return [_instant_fee(contract, charge, event) for charge in charges]


def estimate_each_instantly(contract: Contract, events: Sequence[Imagined]) -> list[Wire]:
    """The same for events of one subscription; those whose code no charge has make none.

    422 when the plan has no charge with such estimates at all.
    """
    charges = _instant(contract)
    if not charges:
        raise Invalid.field(*_NO_CHARGE)
    return [
        _instant_fee(contract, charge, event)
        for event in events
        for charge in charges
        if charge.metric.code == event.code
    ]


def _in_advance(contract: Contract) -> list[ChargeTerms]:
    return [charge for charge in contract.plan.charges if charge.pay_in_advance]


def _instant(contract: Contract) -> list[ChargeTerms]:
    return [charge for charge in _in_advance(contract) if charge.model in INSTANT_MODELS]


def _instant_fee(contract: Contract, charge: ChargeTerms, event: Imagined) -> Wire:
    bucket = bucket_of(charge, event.properties)
    properties = properties_of(charge, bucket.id if bucket else None)
    units = _instant_units(charge.metric, event.properties)
    rate = charge.pricing_unit.conversion_rate if charge.pricing_unit else None
    price = instant_price(charge.model, properties, units, contract.plan.currency, rate)
    return instant_fee(contract, charge, bucket, units, price, event.transaction_id or str(uuid.uuid4()))


def _instant_units(metric: Metric, properties: Mapping[str, Any]) -> Decimal:
    units = ONE if metric.field_name is None else _number(properties, metric.field_name)
    return round_units(metric.rounding_function, metric.rounding_precision, units)


def _number(properties: Mapping[str, Any], name: str | None) -> Decimal:
    """The number of a property, 0 when it is absent; 422 when it is none."""
    if text_value(properties, name) is None:
        return ZERO
    number = numeric_value(properties, name)
    if number is None:
        raise Invalid.field("properties", "value_is_not_valid_number")
    return number
