"""Load contracts: everything billing must know of a set of subscriptions, in a constant number of queries.

Only reads; plans and customers shared by many subscriptions are built once.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tallystick.core.contract import (
    ALL_VALUES,
    Billed,
    ChargeTerms,
    CommitmentTerms,
    Contract,
    CustomerTerms,
    FixedChargeTerms,
    IssuerTerms,
    Metric,
    PlanTerms,
    PriceFilter,
    TaxTerms,
)
from tallystick.core.periods import BillingTime, Interval
from tallystick.core.pricing_units import PricingUnitTerms
from tallystick.core.rating import ChargeModel
from tallystick.ground.db import Row, Tx, fetch, query_text
from tallystick.ground.tables import BillingEntity, Customer, Tax

Taxes = Mapping[uuid.UUID, tuple[TaxTerms, ...]]

_SUBSCRIPTIONS, _CUSTOMERS, _ENTITIES, _PLANS, _CHARGES, _FILTERS, _FIXED_CHARGES, _TAXES = (
    query_text(__file__, f"terms/{name}")
    for name in ("subscriptions", "customers", "entities", "plans", "charges", "filters", "fixed_charges", "taxes")
)
_LIVE_CHARGES = _CHARGES + "where c.plan_id = any($1::uuid[]) and c.deleted_at is null order by c.created_at, c.id"
_CHARGES_BY_ID = _CHARGES + "where c.id = any($1::uuid[])"


async def load_contracts(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> list[Contract]:
    """The contracts of these subscriptions, in the order given; unknown ids are left out."""
    rows = await fetch(tx, _SUBSCRIPTIONS, subscription_ids)
    customers = await load_customers(tx, {row.customer_id for row in rows})
    issuers = await load_issuers(tx, {row.issuer_id for row in rows})
    plan_ids = {row.plan_id for row in rows} | {row.successor_plan_id for row in rows if row.successor_plan_id}
    plans = await load_plans(tx, plan_ids)
    by_id = {row.id: _contract(row, plans, customers[row.customer_id], issuers[row.issuer_id]) for row in rows}
    return [by_id[subscription_id] for subscription_id in subscription_ids if subscription_id in by_id]


def _contract(row: Row, plans: Mapping[uuid.UUID, PlanTerms], customer: CustomerTerms, issuer: IssuerTerms) -> Contract:
    return Contract(
        organization_id=row.organization_id,
        subscription_id=row.id,
        external_id=row.external_id,
        name=row.name,
        status=row.status,
        billing_time=BillingTime(row.billing_time),
        subscription_at=row.subscription_at,
        started_at=row.started_at,
        created_at=row.created_at,
        terminated_at=row.terminated_at,
        ending_at=row.ending_at,
        trial_started_at=row.trial_started_at,
        trial_ended_at=row.trial_ended_at,
        consolidate_invoice=row.consolidate_invoice,
        purchase_order_number=row.purchase_order_number,
        payment_method=str(row.payment_method_id or row.payment_method_type),
        plan=plans[row.plan_id],
        successor=plans.get(row.successor_plan_id),
        replaced_by=row.replaced_by,
        customer=customer,
        issuer=issuer,
        billed=Billed(
            tick_on=row.last_tick_on,
            timezone=row.last_timezone,
            moved=bool(row.moved),
            charges_to_at=row.charges_to_at,
            fixed_to_at=row.fixed_to_at,
            plan_to_at=row.plan_to_at,
            plan_fee_at=row.plan_fee_billed_at,
            first_plan_fee_at=row.plan_fee_first_billed_at,
        ),
        previous_subscription_id=row.previous_subscription_id,
    )


async def load_customers(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, CustomerTerms]:
    """Settings and taxes of customers as they apply."""
    rows = await fetch(tx, _CUSTOMERS, ids)
    entities = {row.id: row for row in await fetch(tx, _ENTITIES, {row.billing_entity_id for row in rows})}
    taxes = await load_taxes(tx, ids | set(entities))
    return {
        row.id: customer_terms(row, entities[row.billing_entity_id], taxes, taxes_pending=row.taxes_pending)
        for row in rows
    }


def customer_terms(
    row: Customer | Row, entity: BillingEntity | Row, taxes: Taxes, *, taxes_pending: bool = False
) -> CustomerTerms:
    """Settings of a customer of this billing entity as they apply; taxes of both by owner."""
    finalize = row.finalize_zero_amount_invoice
    return CustomerTerms(
        id=row.id,
        external_id=row.external_id,
        slug=row.slug,
        sequential_id=row.sequential_id,
        timezone=row.timezone or entity.timezone,
        net_payment_term=_own(row.net_payment_term, entity.net_payment_term),
        grace_days=_own(row.invoice_grace_period, entity.invoice_grace_period),
        issuing_anchor=row.subscription_invoice_issuing_date_anchor or entity.subscription_invoice_issuing_date_anchor,
        issuing_adjustment=row.subscription_invoice_issuing_date_adjustment
        or entity.subscription_invoice_issuing_date_adjustment,
        finalize_zero_amount=entity.finalize_zero_amount_invoice if finalize == "inherit" else finalize == "finalize",
        self_billed=row.account_type == "partner",
        # the customer's own set, else its billing entity's (credits.md §2.2)
        taxes=taxes.get(row.id) or taxes.get(entity.id, ()),
        taxes_pending=taxes_pending,
    )


def _own(value: int | None, inherited: int) -> int:
    """An own value counts even when it is 0 (customers_entitlements.md §1.6)."""
    return inherited if value is None else value


async def load_issuers(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, IssuerTerms]:
    """Billing entities as issuers of invoices."""
    return {
        row.id: IssuerTerms(row.id, row.timezone, row.document_number_prefix, row.document_numbering)
        for row in await fetch(tx, _ENTITIES, ids)
    }


async def load_plans(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, PlanTerms]:
    """Plans with their live charges; soft-deleted plans too, since their last invoices still need them."""
    plans, charges = await fetch(tx, _PLANS, ids), await fetch(tx, _LIVE_CHARGES, ids)
    fixed_charges = await fetch(tx, _FIXED_CHARGES, ids)
    priced = {row.id for row in (*charges, *fixed_charges)}
    filters = await _filters(tx, {row.id for row in charges})
    taxes = await load_taxes(tx, ids | priced | {row.commitment_id for row in plans if row.commitment_id})
    charges_of: dict[uuid.UUID, list[ChargeTerms]] = defaultdict(list)
    for row in charges:
        charges_of[row.plan_id].append(_charge(row, filters, taxes))
    fixed_of: dict[uuid.UUID, list[FixedChargeTerms]] = defaultdict(list)
    for row in fixed_charges:
        fixed_of[row.plan_id].append(_fixed_charge(row, taxes))
    return {row.id: _plan(row, charges_of[row.id], fixed_of[row.id], taxes) for row in plans}


async def load_charges(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, ChargeTerms]:
    """Charges by id as they are today, deleted ones too: fees go on pointing to them."""
    rows = await fetch(tx, _CHARGES_BY_ID, ids)
    filters, taxes = await _filters(tx, ids), await load_taxes(tx, ids)
    return {row.id: _charge(row, filters, taxes) for row in rows}


def _plan(
    row: Row, charges: Iterable[ChargeTerms], fixed_charges: Iterable[FixedChargeTerms], taxes: Taxes
) -> PlanTerms:
    return PlanTerms(
        id=row.id,
        parent_id=row.parent_id,
        code=row.code,
        name=row.name,
        interval=Interval(row.interval),
        amount_cents=row.amount_cents,
        currency=row.amount_currency,
        pay_in_advance=row.pay_in_advance,
        trial_days=row.trial_period,
        bill_charges_monthly=bool(row.bill_charges_monthly),
        bill_fixed_charges_monthly=bool(row.bill_fixed_charges_monthly),
        charges=tuple(charges),
        taxes=taxes.get(row.id, ()),
        fixed_charges=tuple(fixed_charges),
        commitment=_commitment(row, taxes),
    )


def _fixed_charge(row: Row, taxes: Taxes) -> FixedChargeTerms:
    return FixedChargeTerms(
        id=row.id,
        parent_id=row.parent_id,
        code=row.code,
        add_on_id=row.add_on_id,
        model=ChargeModel(row.charge_model),
        properties=row.properties,
        pay_in_advance=row.pay_in_advance,
        prorated=row.prorated,
        taxes=taxes.get(row.id, ()),
        units=row.units,
    )


def _commitment(row: Row, taxes: Taxes) -> CommitmentTerms | None:
    """That of a plan, in the same row."""
    if row.commitment_id is None:
        return None
    return CommitmentTerms(row.commitment_cents, row.commitment_name, taxes.get(row.commitment_id, ()))


def _charge(row: Row, filters: Mapping[uuid.UUID, Sequence[Row]], taxes: Taxes) -> ChargeTerms:
    metric = _metric(row)
    return ChargeTerms(
        id=row.id,
        code=row.code,
        metric=metric,
        model=ChargeModel(row.charge_model),
        properties=row.properties,
        filters=tuple(_filter(item, metric) for item in filters.get(row.id, ())),
        pay_in_advance=row.pay_in_advance,
        prorated=row.prorated,
        invoiceable=row.invoiceable,
        min_amount_cents=row.min_amount_cents,
        invoice_display_name=row.invoice_display_name,
        accepts_target_wallet=row.accepts_target_wallet,
        taxes=taxes.get(row.id, ()),
        pricing_unit=_pricing_unit(row),
    )


def _metric(row: Row) -> Metric:
    """That of a charge, in the same row."""
    return Metric(
        id=row.metric_id,
        code=row.metric_code,
        name=row.metric_name,
        aggregation_type=row.aggregation_type,
        field_name=row.field_name,
        recurring=row.recurring,
        rounding_function=row.rounding_function,
        rounding_precision=row.rounding_precision,
        filters={key: tuple(values) for key, values in row.metric_filters.items()},
    )


def _pricing_unit(row: Row) -> PricingUnitTerms | None:
    """That of a charge, in the same row."""
    if row.unit_id is None or row.conversion_rate is None:
        return None
    return PricingUnitTerms(row.unit_id, row.unit_code, row.unit_short_name, row.conversion_rate)


def _filter(row: Row, metric: Metric) -> PriceFilter:
    given = {key: tuple(items) for key, items in row.values.items()}
    values = {key: metric.filters.get(key, ()) if items == (ALL_VALUES,) else items for key, items in given.items()}
    return PriceFilter(row.id, values, given, row.properties, row.invoice_display_name)


async def _filters(tx: Tx, charge_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
    found: dict[uuid.UUID, list[Row]] = defaultdict(list)
    for row in await fetch(tx, _FILTERS, charge_ids):
        found[row.charge_id].append(row)
    return found


async def load_taxes(tx: Tx, owner_ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[TaxTerms, ...]]:
    """owner -> the taxes attached to it, in the order of attachment; owners of all kinds."""
    found: dict[uuid.UUID, list[TaxTerms]] = defaultdict(list)
    for row in await fetch(tx, _TAXES, owner_ids):
        found[row.owner_id].append(tax_terms(row))
    return {owner: tuple(taxes) for owner, taxes in found.items()}


def tax_terms(row: Tax | Row) -> TaxTerms:
    """A tax as it applies now."""
    return TaxTerms(row.id, row.code, row.name, row.rate, row.description)
