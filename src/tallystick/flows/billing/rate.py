"""From bills and usage to rated fees with their traces. Arithmetic is the core's; this only asks and assembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.core.adjusting import anew
from tallystick.core.aggregate import displayed_keys, group_keys
from tallystick.core.contract import ChargeTerms, PriceFilter
from tallystick.core.explain import charge_trace, plan_trace, pricing_unit_trace, true_up_trace
from tallystick.core.invoice import FeeBreakdown, FeeDraft, FeeType, Purpose
from tallystick.core.metering import MeteredBucket
from tallystick.core.money import ZERO, from_cents, precise
from tallystick.core.pricing_units import charge_amounts, true_up_amounts
from tallystick.core.proration import plan_fee, plan_fee_days
from tallystick.core.rating import Tariff, Usage, tariff, true_up
from tallystick.core.taxes import winning
from tallystick.flows.billing.corrections import NOTHING_CORRECTED, Corrected
from tallystick.flows.billing.due import Bill, renewed_window
from tallystick.flows.billing.meter import ChargeUsage, group_key
from tallystick.ground.ids import new_id

ONE = Decimal(1)


class Rater:
    """Rates bills; tariffs are parsed once for all subscriptions that share a plan."""

    def __init__(self) -> None:
        self._tariffs: dict[tuple[UUID, UUID | None, str], Tariff] = {}

    def fees(
        self,
        bill: Bill,
        usages: Sequence[ChargeUsage],
        *,
        invoiced: bool = True,
        corrected: Corrected = NOTHING_CORRECTED,
    ) -> list[FeeDraft]:
        """The fees of one bill: plan fee, then usage and true-ups (invoicing.md §3 step 2).

        With `invoiced` false, for usage queries, empty fees stay and minimums do not apply (metering.md §7.1). True-ups
        count what was `corrected` by hand.
        """
        fees = [corrected.line(plan_fee_of(bill))] if bill.plan_fee_due else []
        for usage in usages:
            renewal = invoiced and usage.charge.pay_in_advance
            rated = [self._charge_fee(bill, usage, bucket, renewal=renewal) for bucket in usage.buckets]
            if invoiced:
                rated = [self._corrected(bill, usage.charge, fee, corrected) for fee in rated]
                rated = _with_true_up(bill, usage, rated, corrected)
            fees.extend(rated)
        return fees

    def _corrected(self, bill: Bill, charge: ChargeTerms, fee: FeeDraft, corrected: Corrected) -> FeeDraft:
        if not corrected.has(fee):
            return fee
        currency = bill.contract.plan.currency
        rate = anew(self.tariff(charge, fee.filter_id, currency), charge.pricing_unit, currency)
        return corrected.line(fee, rate, charge.pricing_unit)

    def _charge_fee(self, bill: Bill, usage: ChargeUsage, bucket: MeteredBucket, *, renewal: bool) -> FeeDraft:
        contract, charge, window = bill.contract, usage.charge, bill.charges_window
        assert window is not None
        covered = renewed_window(bill) if renewal else window
        found = self.tariff(charge, bucket.filter_id, contract.plan.currency)
        price = found.price(bucket.usage)
        priced = charge_amounts(charge.pricing_unit, price.amount, price.unit_amount, contract.plan.currency)
        amounts = priced.money
        reached = bucket.usage.total_aggregated_units
        return FeeDraft(
            id=new_id(),
            subscription_id=contract.subscription_id,
            fee_type=FeeType.CHARGE,
            purpose=Purpose.RENEWAL if renewal else Purpose.PERIODIC,
            currency=contract.plan.currency,
            amount_cents=amounts.amount_cents,
            precise_amount_cents=amounts.precise_amount_cents,
            units=price.units,
            unit_amount=amounts.precise_unit_amount,
            taxes=winning(charge.taxes, contract.plan.taxes, contract.customer.taxes),
            charge_id=charge.id,
            filter_id=bucket.filter_id,
            grouped_by=bucket.grouped_by,
            total_aggregated_units=price.units if reached is None else reached,
            events_count=bucket.usage.events_count,
            details=price.details,
            pay_in_advance=renewal and not charge.invoiceable,
            period_from_at=covered.start_at,
            period_to_at=covered.end_at,
            breakdowns=_breakdowns(usage, bucket),
            in_units=priced.in_units,
            trace={
                **charge_trace(charge, bucket, price, amounts, window, usage.window_days, usage.duration_days),
                **pricing_unit_trace(priced.in_units),
            },
        )

    def unused(self, bill: Bill, charge: ChargeTerms, bucket: PriceFilter | None) -> FeeDraft:
        """The fee of a bucket without any usage."""
        grouped_by = dict.fromkeys(group_keys(charge, bucket))
        nothing = MeteredBucket(0, bucket.id if bucket else None, grouped_by, Usage(ZERO, ZERO))
        usage = ChargeUsage(charge, 0, bill.windows.charges_duration_days)
        return self._charge_fee(bill, usage, nothing, renewal=False)

    def tariff(self, charge: ChargeTerms, filter_id: UUID | None, currency: str) -> Tariff:
        """The parsed prices of a bucket."""
        key = (charge.id, filter_id, currency)
        found = self._tariffs.get(key)
        if found is None:
            properties = properties_of(charge, filter_id)
            found = tariff(charge.model, properties, prorated=charge.prorated, currency=currency)
            self._tariffs[key] = found
        return found


def stands_alone(fee: FeeDraft) -> bool:
    """Whether the fee of a periodic bill stands on no invoice: the renewal of a charge that is not invoiceable."""
    return fee.purpose is Purpose.RENEWAL and fee.pay_in_advance


def _breakdowns(usage: ChargeUsage, bucket: MeteredBucket) -> tuple[FeeBreakdown, ...]:
    """The parts of a fee's units by presentation keys (metering.md §4.4)."""
    displayed = displayed_keys(usage.charge)
    return tuple(
        FeeBreakdown(part.presentation_by, part.units, tuple(key for key in displayed if key in part.presentation_by))
        for part in usage.breakdowns.get(group_key(bucket), ())
    )


def properties_of(charge: ChargeTerms, filter_id: UUID | None) -> Mapping[str, Any]:
    """The price properties of a bucket: the filter's own, or the charge's for the default bucket."""
    if filter_id is None:
        return charge.properties
    return next(item.properties for item in charge.filters if item.id == filter_id)


def plan_fee_of(bill: Bill) -> FeeDraft:
    """The plan fee over the bill's plan window, prorated by days (subscriptions.md §4.2)."""
    contract, window = bill.contract, bill.windows.plan
    assert window is not None
    plan = contract.plan
    days = plan_fee_days(window, contract.customer.timezone, contract.trial_end_at, bill.upgraded_at)
    full_days = bill.windows.plan_days_in_full_period
    exact, cents = plan_fee(plan.amount_cents, days, full_days)
    return FeeDraft(
        id=new_id(),
        subscription_id=contract.subscription_id,
        fee_type=FeeType.SUBSCRIPTION,
        currency=plan.currency,
        amount_cents=cents,
        precise_amount_cents=precise(exact),
        units=ONE,
        unit_amount=precise(from_cents(exact, plan.currency)),
        taxes=winning(plan.taxes, contract.customer.taxes),
        details={"plan_amount_cents": plan.amount_cents},
        pay_in_advance=plan.pay_in_advance,
        period_from_at=window.start_at,
        period_to_at=window.end_at,
        trace=plan_trace(plan.amount_cents, days, full_days, exact, cents, window),
    )


def _with_true_up(bill: Bill, usage: ChargeUsage, fees: list[FeeDraft], corrected: Corrected) -> list[FeeDraft]:
    """Fees worth storing, and the true-up that fills the charge's minimum (rating.md §3 steps 9 and 10, §13)."""
    extra = _true_up(bill, usage, fees) if usage.charge.min_amount_cents else None
    parent_id = extra.parent_id if extra else None
    alone = not usage.charge.invoiceable
    kept = [
        fee
        for fee in fees
        if alone or fee.units or fee.amount_cents or fee.events_count or fee.id == parent_id or corrected.has(fee)
    ]
    return [*kept, corrected.line(extra)] if extra else kept


def _true_up(bill: Bill, usage: ChargeUsage, fees: Sequence[FeeDraft]) -> FeeDraft | None:
    own = [fee.in_units.amounts if fee.in_units else fee for fee in fees]
    used = sum(amounts.amount_cents for amounts in own)
    used_precise = sum((amounts.precise_amount_cents for amounts in own), ZERO)
    minimum = usage.charge.min_amount_cents
    missing = true_up(minimum, usage.window_days, usage.duration_days, used, used_precise)
    if missing is None:
        return None
    parent = next((fee for fee in fees if fee.filter_id is None), fees[0])
    currency = bill.contract.plan.currency
    priced = true_up_amounts(usage.charge.pricing_unit, missing, currency)
    return FeeDraft(
        id=new_id(),
        subscription_id=parent.subscription_id,
        fee_type=FeeType.CHARGE,
        purpose=Purpose.TRUE_UP,
        currency=currency,
        amount_cents=priced.money.amount_cents,
        precise_amount_cents=priced.money.precise_amount_cents,
        units=ONE,
        unit_amount=priced.money.precise_unit_amount,
        taxes=parent.taxes,
        charge_id=parent.charge_id,
        parent_id=parent.id,
        grouped_by=parent.grouped_by,
        total_aggregated_units=ONE,
        events_count=0,
        details=parent.details,
        period_from_at=parent.period_from_at,
        period_to_at=parent.period_to_at,
        in_units=priced.in_units,
        trace={
            **true_up_trace(minimum, missing, usage.window_days, usage.duration_days, used),
            **pricing_unit_trace(priced.in_units),
        },
    )
