"""The coupons of a preview: the customer's own, else those that the request wants to try (credits.md §1.9)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tallystick.core.contract import Contract
from tallystick.core.coupons import CouponTerms, Discount, Frequency
from tallystick.core.invoice import Credit, FeeDraft
from tallystick.flows.billing.discounts import Coupons
from tallystick.flows.billing.preview.asked import CouponAsked
from tallystick.flows.billing.preview.parties import Party
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Coupon
from tallystick.rooms.coupons import store, usage
from tallystick.rooms.invoices.credits import Item


@dataclass(frozen=True, slots=True)
class Tried:
    """Coupons as if they had just been applied; `items` names those that no customer has."""

    terms: Sequence[CouponTerms]
    items: Mapping[uuid.UUID, Item] = field(default_factory=dict)

    def discount(
        self,
        customer_id: uuid.UUID,
        fees: Sequence[FeeDraft],
        contracts: Sequence[Contract],
        *,
        currency: str,
        at: dt.datetime,
        billed_before: Sequence[Credit],
    ) -> Discount:
        """What they take off; those limited to metrics are left out."""
        counting = [coupon for coupon in self.terms if not coupon.metric_ids]
        coupons = Coupons({customer_id: counting}, previewed=True)
        return coupons.discount(customer_id, fees, contracts, currency=currency, at=at, billed_before=billed_before)


async def tried_coupons(tx: Tx, payer: Party, asked: Sequence[CouponAsked], at: dt.datetime) -> Tried:
    """The active coupons of a known customer; only without any, those that are asked for. 404 `coupon_not_found`."""
    own = await usage.available(tx, [payer.row.id]) if payer.known else {}
    if own:
        return Tried(own[payer.row.id])
    terms: list[CouponTerms] = []
    items: dict[uuid.UUID, Item] = {}
    for one in asked:
        stored = await store.by_code(tx, payer.row.organization_id, one.code) if one.code else None
        if (stored is None or stored.status != "active") and one.coupon_type is None:
            raise NotFound("coupon")
        coupon = await _stored(tx, stored, one, at) if stored is not None else _defined(one, at)
        terms.append(coupon)
        items[coupon.id] = _item(coupon.id, stored, one)
    return Tried(terms, items)


async def _stored(tx: Tx, coupon: Coupon, one: CouponAsked, at: dt.datetime) -> CouponTerms:
    """A stored coupon with the terms that the request gives it, as an application would."""
    targets = await store.target_ids(tx, coupon.id)
    percentage = coupon.coupon_type == "percentage"
    rate = one.percentage_rate if one.percentage_rate is not None else coupon.percentage_rate
    amount_cents = one.amount_cents if one.amount_cents is not None else coupon.amount_cents
    return CouponTerms(
        id=new_id(),
        frequency=Frequency(coupon.frequency),
        applied_at=at,
        percentage_rate=rate if percentage else None,
        amount_cents=amount_cents or 0,
        currency=one.amount_currency or coupon.amount_currency,
        remaining_cents=amount_cents or 0,
        remaining_invoices=one.frequency_duration or coupon.frequency_duration or 0,
        plan_ids=frozenset(targets[store.Target.PLAN]),
        metric_ids=frozenset(targets[store.Target.METRIC]),
    )


def _defined(one: CouponAsked, at: dt.datetime) -> CouponTerms:
    """A coupon that only this request knows."""
    percentage = one.coupon_type == "percentage"
    return CouponTerms(
        id=new_id(),
        frequency=Frequency(one.frequency),
        applied_at=at,
        percentage_rate=(one.percentage_rate or Decimal(0)) if percentage else None,
        amount_cents=one.amount_cents or 0,
        currency=one.amount_currency,
        remaining_cents=one.amount_cents or 0,
        remaining_invoices=one.frequency_duration or 1,
    )


def _item(coupon_id: uuid.UUID, stored: Coupon | None, one: CouponAsked) -> Item:
    if stored is not None:
        return Item(stored.id, stored.code, stored.name, stored.description)
    return Item(coupon_id, one.code or "", one.name or one.code or "", None)
