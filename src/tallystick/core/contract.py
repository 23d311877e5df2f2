"""The contract: frozen terms of one subscription with its plan, charges, customer and issuer, as billing reads them.

Many read it and nobody writes it; the rows behind it belong to the rooms (design §4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.core.periods import TIMEZONE_SHIFT, BillingTime, Interval, Schedule, local_date, local_midnight
from tallystick.core.pricing_units import PricingUnitTerms
from tallystick.core.proration import trial_end_at
from tallystick.core.rating import ChargeModel

#: stands for all values that the metric's filter declares (metering.md §4.1)
ALL_VALUES = "__ALL_FILTER_VALUES__"

#: how a row of a chain was replaced by the next one
UPGRADE, DOWNGRADE = "upgrade", "downgrade"

_PERIODS_A_YEAR = {
    Interval.WEEKLY: 52,
    Interval.MONTHLY: 12,
    Interval.QUARTERLY: 4,
    Interval.SEMIANNUAL: 2,
    Interval.YEARLY: 1,
}


def yearly_value(interval: Interval, amount_cents: int) -> int:
    """What a plan costs in a year: decides between upgrade and downgrade (subscriptions.md §1.1)."""
    return _PERIODS_A_YEAR[interval] * amount_cents


@dataclass(frozen=True, slots=True)
class TaxTerms:
    """A tax as it applies now; `rate` in percent."""

    id: UUID
    code: str
    name: str
    rate: Decimal
    description: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """How events with one code become units (metering.md §2). `filters`: key -> declared values."""

    id: UUID
    code: str
    name: str
    aggregation_type: str
    field_name: str | None
    recurring: bool
    rounding_function: str | None
    rounding_precision: int | None
    filters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PriceFilter:
    """A charge filter. `values`: key -> accepted texts; `given_values` as sent, with the "all" marker."""

    id: UUID
    values: Mapping[str, tuple[str, ...]]
    given_values: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, Any]
    invoice_display_name: str | None


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """A metric's price on a plan, in money or in its `pricing_unit`.

    `filters` from the oldest to the newest (metering.md §4.1 rule 3).
    """

    id: UUID
    code: str
    metric: Metric
    model: ChargeModel
    properties: Mapping[str, Any]
    filters: tuple[PriceFilter, ...]
    pay_in_advance: bool
    prorated: bool
    invoiceable: bool
    min_amount_cents: int
    invoice_display_name: str | None
    accepts_target_wallet: bool
    taxes: tuple[TaxTerms, ...]
    pricing_unit: PricingUnitTerms | None = None


@dataclass(frozen=True, slots=True)
class FixedChargeTerms:
    """An add-on's price on a plan; `parent_id` is the fixed charge that it overrides (rating.md §16)."""

    id: UUID
    parent_id: UUID | None
    code: str
    add_on_id: UUID
    model: ChargeModel
    properties: Mapping[str, Any]
    pay_in_advance: bool
    prorated: bool
    taxes: tuple[TaxTerms, ...]
    #: what a subscription has of it at its start, unless it has units of its own
    units: Decimal = Decimal(0)

    @property
    def ids(self) -> frozenset[UUID]:
        """Its own id, and the one under which it was billed before it was overridden."""
        return frozenset({self.id, self.parent_id or self.id})


@dataclass(frozen=True, slots=True)
class CommitmentTerms:
    """What a period costs at least (rating.md §17)."""

    amount_cents: int
    invoice_display_name: str | None
    taxes: tuple[TaxTerms, ...]


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan as one subscription has it; `parent_id` is the plan that it overrides. `trial_days` may be fractional."""

    id: UUID
    parent_id: UUID | None
    code: str
    name: str
    interval: Interval
    amount_cents: int
    currency: str
    pay_in_advance: bool
    trial_days: Decimal | None
    bill_charges_monthly: bool
    bill_fixed_charges_monthly: bool
    charges: tuple[ChargeTerms, ...]
    taxes: tuple[TaxTerms, ...]
    fixed_charges: tuple[FixedChargeTerms, ...] = ()
    commitment: CommitmentTerms | None = None


@dataclass(frozen=True, slots=True)
class CustomerTerms:
    """Settings of the customer as they apply: own values, else those of the billing entity (customers §1.6)."""

    id: UUID
    external_id: str
    slug: str
    sequential_id: int
    timezone: str
    net_payment_term: int
    grace_days: int
    issuing_anchor: str
    issuing_adjustment: str
    finalize_zero_amount: bool
    self_billed: bool
    taxes: tuple[TaxTerms, ...]
    #: the registry has not said yet which taxes these are: invoices wait for it (invoicing.md §7.3)
    taxes_pending: bool = False


@dataclass(frozen=True, slots=True)
class IssuerTerms:
    """The billing entity whose invoices these are. `numbering`: per_customer or per_billing_entity."""

    id: UUID
    timezone: str
    number_prefix: str
    numbering: str


@dataclass(frozen=True, slots=True)
class Billed:
    """What was billed of a subscription before: its last tick where the customer was then, how far each kind got.

    `moved`: some of it was billed under another time zone than the customer has now.
    """

    tick_on: date | None
    timezone: str | None
    moved: bool
    charges_to_at: datetime | None
    fixed_to_at: datetime | None
    plan_to_at: datetime | None
    plan_fee_at: datetime | None
    first_plan_fee_at: datetime | None

    @property
    def boundary_at(self) -> datetime | None:
        """When the last tick began."""
        return local_midnight(self.tick_on, self.timezone) if self.tick_on and self.timezone else None

    def reaches(self, tick_at: datetime) -> bool:
        """Whether the tick that begins at `tick_at` was billed, in this time zone or in another one (§3.7)."""
        return self.boundary_at is not None and tick_at - self.boundary_at < TIMEZONE_SHIFT


@dataclass(frozen=True, slots=True)
class Contract:
    """One subscription row with all its terms.

    `trial_started_at` is the chain's earliest start (subscriptions.md §4.4); `successor` the plan of the row that
    replaced this one, `replaced_by` how: by an upgrade or a downgrade. Prices that change later do not change that.
    `assumed_units`: fixed charge -> the units of a row that has not started, of which nothing is recorded.
    """

    organization_id: UUID
    subscription_id: UUID
    external_id: str
    name: str | None
    status: str
    billing_time: BillingTime
    subscription_at: datetime
    started_at: datetime | None
    created_at: datetime
    terminated_at: datetime | None
    ending_at: datetime | None
    trial_started_at: datetime | None
    trial_ended_at: datetime | None
    consolidate_invoice: bool
    purchase_order_number: str | None
    payment_method: str
    plan: PlanTerms
    successor: PlanTerms | None
    replaced_by: str | None
    customer: CustomerTerms
    issuer: IssuerTerms
    billed: Billed
    previous_subscription_id: UUID | None = None
    assumed_units: Mapping[UUID, Decimal] | None = None

    @property
    def schedule(self) -> Schedule:
        """What decides its billing days."""
        tz = self.customer.timezone
        return Schedule(
            interval=self.plan.interval,
            billing_time=self.billing_time,
            anchor_on=local_date(self.subscription_at, tz),
            timezone=tz,
            pay_in_advance=self.plan.pay_in_advance,
            bill_charges_monthly=self.plan.bill_charges_monthly,
            bill_fixed_charges_monthly=self.plan.bill_fixed_charges_monthly,
        )

    @property
    def trial_end_at(self) -> datetime | None:
        """When the trial of the current plan ends, past or future; None without trial."""
        return trial_end_at(self.trial_started_at, self.plan.trial_days) if self.trial_started_at else None

    @property
    def upgraded_at(self) -> datetime | None:
        """When an upgrade ended the row; that day belongs to the new plan (subscriptions.md §2.5)."""
        return self.terminated_at if self.replaced_by == UPGRADE else None

    @property
    def is_downgraded(self) -> bool:
        """Whether a cheaper plan took over at a tick (subscriptions.md §2.6)."""
        return self.replaced_by == DOWNGRADE
