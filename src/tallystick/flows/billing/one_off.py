"""One-off invoices: add-ons billed once, at once and for themselves (invoicing.md §11).

No grace, and no coupons, credit notes or wallets: those are for what subscriptions cost.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.contract import CustomerTerms, TaxTerms
from tallystick.core.explain import add_on_trace
from tallystick.core.invoice import FeeDraft, FeeType, compose
from tallystick.core.issuing import invoice_dates
from tallystick.core.money import EXACT, ONE, cents_of, from_cents, precise
from tallystick.core.periods import local_date
from tallystick.core.taxes import winning
from tallystick.flows.billing.awaited import status_with_taxes
from tallystick.flows.billing.compose import Draft, Header, final_status
from tallystick.flows.billing.load import load_customers, load_issuers, load_taxes, tax_terms
from tallystick.flows.billing.run import lock_customers
from tallystick.flows.billing.sections import Choice
from tallystick.flows.billing.write import write
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import AddOn, Customer
from tallystick.rooms.catalog import add_ons
from tallystick.rooms.custom_sections import verbs as custom_sections
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.subscriptions.verbs import payment_method
from tallystick.rooms.taxes import store as taxes

#: minor units of one line; far above every invoice, and what clients can still count exactly
MOST_CENTS = 10**15
ONE_SECOND = dt.timedelta(seconds=1)

Line = Mapping[str, Any]


async def bill_once(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_customer_id: str, fields: Mapping[str, Any]
) -> uuid.UUID:
    """Make a one-off invoice and return its id.

    `fields`: currency, fees, skip_psp, billing_entity_code, purchase_order_number, payment_method,
    invoice_custom_section; a fee: add_on_code,
    unit_amount_cents, units, invoice_display_name, description, tax_codes, from_datetime, to_datetime.
    404 `customer_not_found`, `fees_not_found`, `add_on_not_found`, `billing_entity_not_found`, `tax_not_found`,
    `invoice_custom_section_not_found`;
    422 `payment_method`, `currency`, `boundaries`, `units`, `unit_amount_cents`.
    """
    customer = await customers.find(tx, organization_id, external_customer_id)
    lines: Sequence[Line] = fields.get("fees") or ()
    if not lines:
        raise NotFound("fees")
    sold = await _add_ons(tx, organization_id, lines)
    issuer_id = await _issuer(tx, customer, fields.get("billing_entity_code"))
    payment_method(fields)
    await lock_customers(tx, [customer.id])
    terms = (await load_customers(tx, {customer.id}))[customer.id]
    currency = fields.get("currency") or customer.currency
    if currency is None:
        raise Invalid.field("currency", "value_is_mandatory")
    fees = await _fees(tx, organization_id, at, lines, sold, terms, currency)
    header = Header(
        organization_id=organization_id,
        customer=terms,
        issuer=(await load_issuers(tx, {issuer_id}))[issuer_id],
        invoice_type="one_off",
        currency=currency,
        purchase_order_number=fields.get("purchase_order_number"),
        at=at,
        skip_automatic_payment=bool(fields.get("skip_psp")),
        sections=await _sections(tx, organization_id, fields.get("invoice_custom_section") or {}),
    )
    composition = compose(fees)
    dates = invoice_dates(local_date(at, terms.timezone), terms, graced=False, recurring=False)
    status = status_with_taxes(final_status(composition, terms), terms)
    documents = await write(tx, [Draft(header, composition, dates, status)])
    await customers.prefer_currencies(tx, {customer.id: currency}, at)
    return documents[0].id


async def _add_ons(tx: Tx, organization_id: uuid.UUID, lines: Sequence[Line]) -> dict[str, AddOn]:
    codes = [line.get("add_on_code") or "" for line in lines]
    found = await add_ons.by_codes(tx, organization_id, codes)
    if not set(codes) <= set(found):
        raise NotFound("add_on")
    return found


async def _sections(tx: Tx, organization_id: uuid.UUID, given: Line) -> Choice:
    """The custom sections that the request names, or that it wants none."""
    codes, ids = given.get("invoice_custom_section_codes") or (), given.get("invoice_custom_section_ids") or ()
    found = await custom_sections.named(tx, organization_id, codes, ids)
    return Choice(bool(given.get("skip_invoice_custom_sections")), tuple(found))


async def _issuer(tx: Tx, customer: Customer, code: str | None) -> uuid.UUID:
    """The billing entity asked for, else the customer's."""
    if code is None:
        return customer.billing_entity_id
    found = await organizations.entities_by_code(tx, customer.organization_id, [code])
    if code not in found:
        raise NotFound("billing_entity")
    return found[code].id


async def _fees(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    lines: Sequence[Line],
    sold: Mapping[str, AddOn],
    customer: CustomerTerms,
    currency: str,
) -> list[FeeDraft]:
    codes = {code for line in lines for code in line.get("tax_codes") or ()}
    known = await taxes.by_codes(tx, organization_id, sorted(codes))
    explicit = {code: tax_terms(tax) for code, tax in known.items()}
    if not codes <= set(explicit):
        raise NotFound("tax")
    attached = await load_taxes(tx, {add_on.id for add_on in sold.values()})
    fees = []
    for line in lines:
        add_on = sold[line["add_on_code"]]
        asked = [explicit[code] for code in dict.fromkeys(line.get("tax_codes") or ())]
        won = winning(asked, attached.get(add_on.id, ()), customer.taxes)
        if customer.taxes_pending:
            won = tuple(asked)  # those are known; what else wins is seen when the customer's are
        fees.append(_fee(line, add_on, won, currency, at))
    return fees


def _fee(line: Line, add_on: AddOn, won: tuple[TaxTerms, ...], currency: str, at: dt.datetime) -> FeeDraft:
    units, unit_cents = _priced(line, add_on)
    exact = EXACT.multiply(units, Decimal(unit_cents))
    cents = cents_of(exact)
    if cents > MOST_CENTS:
        raise Invalid.field("units", "value_is_out_of_range")
    from_at, to_at = _boundaries(line, at)
    return FeeDraft(
        id=new_id(),
        subscription_id=None,
        fee_type=FeeType.ADD_ON,
        add_on_id=add_on.id,
        currency=currency,
        amount_cents=cents,
        precise_amount_cents=precise(exact),
        units=units,
        unit_amount=precise(from_cents(unit_cents, currency)),
        taxes=won,
        invoice_display_name=line.get("invoice_display_name") or add_on.invoice_display_name,
        description=line.get("description") or add_on.description,
        period_from_at=from_at,
        period_to_at=to_at,
        trace=add_on_trace(units, unit_cents, exact, cents),
    )


def _priced(line: Line, add_on: AddOn) -> tuple[Decimal, int]:
    units, unit_cents = line.get("units"), line.get("unit_amount_cents")
    units = ONE if units is None else units
    unit_cents = add_on.amount_cents if unit_cents is None else unit_cents
    for name, value in (("units", units), ("unit_amount_cents", unit_cents)):
        if value < 0:
            raise Invalid.field(name, "value_is_out_of_range")
    return units, unit_cents


def _boundaries(line: Line, at: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The period that a line covers, end exclusive; callers give the last second, and nothing means now."""
    given = line.get("from_datetime"), line.get("to_datetime")
    from_at, to_at = given if given != (None, None) else (at, at)
    if from_at is None or to_at is None or from_at > to_at:
        raise Invalid.field("boundaries", "values_are_invalid")
    return from_at, to_at.replace(microsecond=0) + ONE_SECOND
