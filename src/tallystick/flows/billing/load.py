"""Load contracts: everything billing must know of a set of subscriptions, in a constant number of queries.

Only reads; plans and customers shared by many subscriptions are built once.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import aliased

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
from tallystick.ground.db import Tx, load_query
from tallystick.ground.tables import (
    BillableMetric,
    BillingEntity,
    Charge,
    ChargeFilter,
    Customer,
    FixedCharge,
    MinimumCommitment,
    Plan,
    PricingUnit,
    Tax,
    TaxLink,
    VatCheck,
)

Taxes = Mapping[uuid.UUID, tuple[TaxTerms, ...]]

_SUBSCRIPTIONS = load_query(__file__, "subscriptions")
_PRICED = (
    select(Charge, BillableMetric, PricingUnit)
    .join(BillableMetric, BillableMetric.id == Charge.billable_metric_id)
    .outerjoin(PricingUnit, PricingUnit.id == Charge.pricing_unit_id)
)


async def load_contracts(tx: Tx, subscription_ids: Sequence[uuid.UUID]) -> list[Contract]:
    """The contracts of these subscriptions, in the order given; unknown ids are left out."""
    rows = (await tx.execute(_SUBSCRIPTIONS, {"ids": list(subscription_ids)})).all()
    customers = await load_customers(tx, {row.customer_id for row in rows})
    issuers = await load_issuers(tx, {row.issuer_id for row in rows})
    plan_ids = {row.plan_id for row in rows} | {row.successor_plan_id for row in rows if row.successor_plan_id}
    plans = await load_plans(tx, plan_ids)
    by_id = {row.id: _contract(row, plans, customers[row.customer_id], issuers[row.issuer_id]) for row in rows}
    return [by_id[subscription_id] for subscription_id in subscription_ids if subscription_id in by_id]


def _contract(
    row: Row[Any], plans: Mapping[uuid.UUID, PlanTerms], customer: CustomerTerms, issuer: IssuerTerms
) -> Contract:
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
    entity = aliased(BillingEntity)
    statement = (
        select(Customer, entity, VatCheck.customer_id.is_not(None))
        .join(entity, entity.id == Customer.billing_entity_id)
        .outerjoin(VatCheck, VatCheck.customer_id == Customer.id)
        .where(Customer.id.in_(ids))
    )
    rows = (await tx.execute(statement)).all()
    taxes = await load_taxes(tx, ids | {own.id for _, own, _ in rows})
    return {customer.id: customer_terms(customer, own, taxes, taxes_pending=pending) for customer, own, pending in rows}


def customer_terms(row: Customer, entity: BillingEntity, taxes: Taxes, *, taxes_pending: bool = False) -> CustomerTerms:
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
    rows = await tx.scalars(select(BillingEntity).where(BillingEntity.id.in_(ids)))
    return {
        row.id: IssuerTerms(row.id, row.timezone, row.document_number_prefix, row.document_numbering) for row in rows
    }


async def load_plans(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, PlanTerms]:
    """Plans with their live charges; soft-deleted plans too, since their last invoices still need them."""
    plans = list(await tx.scalars(select(Plan).where(Plan.id.in_(ids))))
    live = _PRICED.where(Charge.plan_id.in_(ids), Charge.deleted_at.is_(None)).order_by(Charge.created_at, Charge.id)
    charges = (await tx.execute(live)).all()
    filters = await _filters(tx, {charge.id for charge, _, _ in charges})
    fixed = await _fixed_charges(tx, ids)
    commitments = {row.plan_id: row for row in await _commitments(tx, ids)}
    priced = {charge.id for charge, _, _ in charges} | {row.id for row in fixed}
    taxes = await load_taxes(tx, ids | priced | {row.id for row in commitments.values()})
    by_plan: dict[uuid.UUID, list[ChargeTerms]] = defaultdict(list)
    for charge, metric, unit in charges:
        by_plan[charge.plan_id].append(_charge(charge, _metric(metric), unit, filters.get(charge.id, []), taxes))
    fixed_of: dict[uuid.UUID, list[FixedChargeTerms]] = defaultdict(list)
    for row in fixed:
        fixed_of[row.plan_id].append(_fixed_charge(row, taxes))
    return {
        plan.id: _plan(plan, by_plan[plan.id], fixed_of[plan.id], commitments.get(plan.id), taxes) for plan in plans
    }


async def load_charges(tx: Tx, ids: set[uuid.UUID]) -> dict[uuid.UUID, ChargeTerms]:
    """Charges by id as they are today, deleted ones too: fees go on pointing to them."""
    rows = (await tx.execute(_PRICED.where(Charge.id.in_(ids)))).all()
    filters, taxes = await _filters(tx, ids), await load_taxes(tx, ids)
    return {
        charge.id: _charge(charge, _metric(metric), unit, filters.get(charge.id, []), taxes)
        for charge, metric, unit in rows
    }


async def _fixed_charges(tx: Tx, plan_ids: set[uuid.UUID]) -> list[FixedCharge]:
    statement = (
        select(FixedCharge)
        .where(FixedCharge.plan_id.in_(plan_ids), FixedCharge.deleted_at.is_(None))
        .order_by(FixedCharge.created_at, FixedCharge.id)
    )
    return list(await tx.scalars(statement))


async def _commitments(tx: Tx, plan_ids: set[uuid.UUID]) -> list[MinimumCommitment]:
    return list(await tx.scalars(select(MinimumCommitment).where(MinimumCommitment.plan_id.in_(plan_ids))))


def _plan(
    row: Plan,
    charges: Iterable[ChargeTerms],
    fixed_charges: Iterable[FixedChargeTerms],
    commitment: MinimumCommitment | None,
    taxes: Taxes,
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
        commitment=_commitment(commitment, taxes) if commitment else None,
    )


def _fixed_charge(row: FixedCharge, taxes: Taxes) -> FixedChargeTerms:
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


def _commitment(row: MinimumCommitment, taxes: Taxes) -> CommitmentTerms:
    return CommitmentTerms(row.amount_cents, row.invoice_display_name, taxes.get(row.id, ()))


def _metric(row: BillableMetric) -> Metric:
    return Metric(
        id=row.id,
        code=row.code,
        name=row.name,
        aggregation_type=row.aggregation_type,
        field_name=row.field_name,
        recurring=row.recurring,
        rounding_function=row.rounding_function,
        rounding_precision=row.rounding_precision,
        filters={key: tuple(values) for key, values in row.filters.items()},
    )


def _charge(
    row: Charge, metric: Metric, unit: PricingUnit | None, filters: Sequence[ChargeFilter], taxes: Taxes
) -> ChargeTerms:
    return ChargeTerms(
        id=row.id,
        code=row.code,
        metric=metric,
        model=ChargeModel(row.charge_model),
        properties=row.properties,
        filters=tuple(_filter(item, metric) for item in filters),
        pay_in_advance=row.pay_in_advance,
        prorated=row.prorated,
        invoiceable=row.invoiceable,
        min_amount_cents=row.min_amount_cents,
        invoice_display_name=row.invoice_display_name,
        accepts_target_wallet=row.accepts_target_wallet,
        taxes=taxes.get(row.id, ()),
        pricing_unit=_pricing_unit(unit, row.conversion_rate),
    )


def _pricing_unit(row: PricingUnit | None, rate: Decimal | None) -> PricingUnitTerms | None:
    return None if row is None or rate is None else PricingUnitTerms(row.id, row.code, row.short_name, rate)


def _filter(row: ChargeFilter, metric: Metric) -> PriceFilter:
    values = {
        key: metric.filters.get(key, ()) if given == [ALL_VALUES] else tuple(given) for key, given in row.values.items()
    }
    given = {key: tuple(items) for key, items in row.values.items()}
    return PriceFilter(row.id, values, given, row.properties, row.invoice_display_name)


async def _filters(tx: Tx, charge_ids: set[uuid.UUID]) -> dict[uuid.UUID, list[ChargeFilter]]:
    statement = (
        select(ChargeFilter)
        .where(ChargeFilter.charge_id.in_(charge_ids), ChargeFilter.deleted_at.is_(None))
        .order_by(ChargeFilter.created_at, ChargeFilter.position, ChargeFilter.id)
    )
    found: dict[uuid.UUID, list[ChargeFilter]] = defaultdict(list)
    for row in await tx.scalars(statement):
        found[row.charge_id].append(row)
    return found


async def load_taxes(tx: Tx, owner_ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[TaxTerms, ...]]:
    """owner -> the taxes attached to it, in the order of attachment; owners of all kinds."""
    statement = (
        select(TaxLink.owner_id, Tax)
        .join(Tax, Tax.id == TaxLink.tax_id)
        .where(TaxLink.owner_id.in_(owner_ids), Tax.deleted_at.is_(None))
        .order_by(TaxLink.created_at, Tax.id)
    )
    found: dict[uuid.UUID, list[TaxTerms]] = defaultdict(list)
    for owner_id, tax in await tx.execute(statement):
        found[owner_id].append(tax_terms(tax))
    return {owner: tuple(taxes) for owner, taxes in found.items()}


def tax_terms(row: Tax) -> TaxTerms:
    """A tax as it applies now."""
    return TaxTerms(row.id, row.code, row.name, row.rate, row.description)
