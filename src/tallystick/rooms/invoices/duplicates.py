"""Stored fees as fees in the making: what a new invoice takes over of a voided one (invoicing.md §16.2)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import update

from tallystick.core.contract import TaxTerms
from tallystick.core.invoice import FeeBreakdown, FeeDraft, FeeType, Purpose
from tallystick.core.pricing_units import InUnits, PricingUnitTerms
from tallystick.core.rating import FeeAmounts, PricingUnitAmounts
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Fee, InvoiceSubscription


def duplicate(row: Fee, taxes: tuple[TaxTerms, ...]) -> FeeDraft:
    """The fee once more, without discounts and with other taxes; it knows the first fee of its chain."""
    return FeeDraft(
        id=new_id(),
        subscription_id=row.subscription_id,
        fee_type=FeeType(row.fee_type),
        purpose=Purpose(row.purpose),
        currency=row.currency,
        amount_cents=row.amount_cents,
        precise_amount_cents=row.precise_amount_cents,
        units=row.units,
        unit_amount=row.precise_unit_amount,
        taxes=taxes,
        charge_id=row.charge_id,
        filter_id=row.charge_filter_id,
        fixed_charge_id=row.fixed_charge_id,
        add_on_id=row.add_on_id,
        parent_id=row.true_up_parent_fee_id,
        original_id=row.original_fee_id or row.id,
        grouped_by=row.grouped_by,
        total_aggregated_units=row.total_aggregated_units,
        events_count=row.events_count,
        details=row.amount_details,
        pay_in_advance=row.pay_in_advance,
        invoice_display_name=row.invoice_display_name,
        description=row.description,
        period_from_at=row.period_from_at,
        period_to_at=row.period_to_at,
        event_transaction_id=row.event_transaction_id,
        breakdowns=tuple(
            FeeBreakdown(part["presentation_by"], Decimal(part["units"]), tuple(part["displayed"]))
            for part in row.presentation_breakdowns
        ),
        in_units=_in_units(row.pricing_unit_details, row),
        trace=row.trace,
    )


def _in_units(details: Mapping[str, Any] | None, row: Fee) -> InUnits | None:
    if details is None:
        return None
    unit = PricingUnitTerms(
        uuid.UUID(str(details["lago_pricing_unit_id"])),
        details["pricing_unit_code"],
        details["short_name"],
        Decimal(details["conversion_rate"]),
    )
    amounts = PricingUnitAmounts(
        amount_cents=details["amount_cents"],
        precise_amount_cents=Decimal(details["precise_amount_cents"]),
        unit_amount_cents=details["unit_amount_cents"],
        precise_unit_amount=Decimal(details["precise_unit_amount"]),
        fee=FeeAmounts(row.amount_cents, row.precise_amount_cents, row.precise_unit_amount),
    )
    return InUnits(unit, amounts)


async def replace_periods(tx: Tx, invoice_id: uuid.UUID) -> None:
    """The billing periods of a voided invoice free their place: another invoice has them now."""
    periods = update(InvoiceSubscription).where(InvoiceSubscription.invoice_id == invoice_id)
    await tx.execute(periods.values(replaced=True))
