"""Plan fees and fixed charges of whole lives, as the core bills them, are those of the oracle of the specification.

Every interval, billing time and split, advance and arrears, trials, time zones with their changes of clocks, ends of
months and leap days; first and last periods of all of them. What moves customers is in scenario/test_two_years.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tallystick.core.contract import Billed, Contract, IssuerTerms, PlanTerms
from tallystick.core.fixed_charges import UnitRecord, rated_units
from tallystick.core.money import cents_of as rounded
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import BillingTime, Interval, local_date
from tallystick.flows.billing.due import Bill, bill_of
from tallystick.flows.billing.rate import plan_fee_of
from tests.support.oracle import Life, Line, Terms, expected
from tests.support.terms import customer_terms

ID = UUID(int=7)
NOTHING = Billed(None, None, False, None, None, None, None, None)
ZONES = (
    *("UTC", "Europe/Paris", "America/New_York", "Pacific/Auckland", "Pacific/Pago_Pago", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo", "Pacific/Tongatapu"),
)
EDGES = (
    *("2024-01-31", "2024-02-29", "2023-01-29", "2023-11-30", "2023-08-31"),
    *("2024-03-10", "2024-03-31", "2024-10-27", "2024-11-03", "2024-12-31"),
)
edges = st.sampled_from([dt.date.fromisoformat(on) for on in EDGES])


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A row and, for some, its end; backdated for some, younger than its anchor for others."""
    zone = draw(st.sampled_from(ZONES))
    on = draw(st.dates(dt.date(2022, 12, 1), dt.date(2024, 12, 31)) | edges)
    anchor_at = dt.datetime.combine(on, draw(st.times()), dt.UTC)
    row_age = dt.timedelta(days=draw(st.just(0) | st.integers(1, 500)))
    started_at = anchor_at + row_age
    activated_at = started_at + dt.timedelta(days=draw(st.just(0) | st.integers(1, 90)))
    advance = draw(st.booleans())
    terms = Terms(
        draw(st.sampled_from(Interval)).value,
        draw(st.sampled_from([990, 3000, 36_500, 99_999])),
        advance,
        draw(st.sampled_from([0, 0, 10, 31, 45])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(1, 9)),
    )
    lived = dt.timedelta(days=draw(st.integers(0, 400)), seconds=draw(st.integers(0, 86_399)))
    how = draw(st.sampled_from(["lives", "ends", "upgrade"]))
    return Life(
        terms=terms,
        anniversary=draw(st.booleans()),
        subscription_at=anchor_at,
        activated_at=activated_at,
        started_at=started_at,
        trial_started_at=started_at,
        kept_at=activated_at + lived,
        zones=[(anchor_at - dt.timedelta(days=900), zone)],
        terminated_at=None if how == "lives" else activated_at + lived,
        replaced_by="upgrade" if how == "upgrade" else None,
    )


def contract_of(life: Life) -> Contract:
    """The contract of a life; nothing was billed of it yet."""
    terms, (_, zone) = life.terms, life.zones[0]
    plan = PlanTerms(
        id=ID,
        parent_id=None,
        code="p",
        name="p",
        interval=Interval(terms.interval),
        amount_cents=terms.cents,
        currency="EUR",
        pay_in_advance=terms.advance,
        trial_days=Decimal(terms.trial_days),
        bill_charges_monthly=terms.split_usage,
        bill_fixed_charges_monthly=terms.split_fixed,
        charges=(),
        taxes=(),
    )
    return Contract(
        organization_id=ID,
        subscription_id=ID,
        external_id="s",
        name=None,
        status="active",
        billing_time=BillingTime.ANNIVERSARY if life.anniversary else BillingTime.CALENDAR,
        subscription_at=life.subscription_at,
        started_at=life.started_at,
        created_at=life.activated_at,
        terminated_at=None,
        ending_at=None,
        trial_started_at=life.trial_started_at,
        trial_ended_at=None,
        consolidate_invoice=True,
        purchase_order_number=None,
        payment_method="provider",
        plan=plan,
        successor=None,
        replaced_by=None,
        customer=customer_terms(timezone=zone),
        issuer=IssuerTerms(ID, zone, "", "per_customer"),
        billed=NOTHING,
    )


def occasions(life: Life, contract: Contract) -> Iterator[tuple[dt.datetime, Reason]]:
    """When something may be billed of a row that lives, in order; what, is decided by `bill_of`."""
    schedule, tz = contract.schedule, contract.customer.timezone
    last_at = life.terminated_at or life.kept_at
    starts_today = local_date(life.started_at, tz) == local_date(life.activated_at, tz)
    trial_end = contract.trial_end_at
    in_trial = trial_end is not None and life.activated_at < trial_end
    if life.terms.advance and starts_today and not in_trial:
        yield life.activated_at, Reason.STARTING
    found = []
    tick_on = schedule.first_tick_on(life.started_at, life.activated_at)
    while (at := max(schedule.tick_at(tick_on), life.activated_at)) <= last_at and at != life.terminated_at:
        found.append((at, Reason.PERIODIC))
        tick_on = schedule.next_tick_on(tick_on)
    if life.terms.advance and in_trial and trial_end is not None and trial_end <= last_at:
        found.append((trial_end, Reason.STARTING))
    yield from sorted(found)


def lines_of(bill: Bill) -> Iterator[Line]:
    """What a bill takes for the plan and for the fixed charge in arrears."""
    at, contract, window = bill.occasion.at, bill.contract, bill.windows.fixed
    if bill.plan_fee_due:
        yield Line(at, "plan", plan_fee_of(bill).amount_cents)
    if window is not None and not window.is_empty:
        assert contract.started_at is not None
        records = [UnitRecord(contract.started_at + dt.timedelta(seconds=1), UNITS)]
        days, tz = bill.windows.fixed_duration_days, contract.customer.timezone
        yield Line(at, "a", rounded(rated_units(records, window, days, tz, prorated=True).rated * 100))


UNITS = Decimal(6)


def billed(life: Life) -> list[Line]:
    """What the core bills of a life, each bill after the ones before."""
    contract = contract_of(life)
    lines: list[Line] = []
    for at, reason in occasions(life, contract):
        first_at = contract.billed.first_plan_fee_at
        on = local_date(at, contract.customer.timezone)
        if reason is Reason.STARTING and (first_at is not None or contract.billed.tick_on == on):
            continue  # the trial of a plan that was billed ends, or the tick of the day has the fee
        bill = bill_of(contract, Occasion(ID, reason, at))
        lines += lines_of(bill)
        contract = replace(contract, billed=_after(contract.billed, bill, on))
    if life.terminated_at is not None:
        contract = replace(contract, terminated_at=life.terminated_at, replaced_by=life.replaced_by)
        lines += lines_of(bill_of(contract, Occasion(ID, Reason.TERMINATING, life.terminated_at)))
    return sorted(line for line in lines if line.cents)


def _after(before: Billed, bill: Bill, on: dt.date) -> Billed:
    tick = bill.occasion.reason is Reason.PERIODIC
    fee_at = bill.occasion.at if bill.plan_fee_due else None
    return replace(
        before,
        tick_on=on if tick else before.tick_on,
        timezone=bill.contract.customer.timezone if tick else before.timezone,
        plan_fee_at=fee_at or before.plan_fee_at,
        first_plan_fee_at=before.first_plan_fee_at or fee_at,
    )


def life(**given: object) -> Life:
    """A monthly row in UTC from 31 January 2024 on."""
    start = dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC)
    fields: dict[str, object] = {
        "terms": Terms("monthly", 3000, advance=False),
        "anniversary": True,
        "subscription_at": start,
        "activated_at": start,
        "started_at": start,
        "trial_started_at": start,
        "kept_at": start + dt.timedelta(days=400),
        "zones": [(start - dt.timedelta(days=900), "UTC")],
    }
    return Life(**{**fields, **given})  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(lives())
@example(life())
@example(life(terms=Terms("yearly", 3000, advance=True, trial_days=29, split_usage=True)))
@example(life(terminated_at=dt.datetime(2024, 2, 29, tzinfo=dt.UTC)))
@example(
    life(terms=Terms("weekly", 700, advance=True), zones=[(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "Africa/Cairo")])
)
def test_a_life_is_billed_as_the_specification_says(one: Life) -> None:
    of = replace(one, terms=replace(one.terms, units=int(UNITS)))
    assume(of.terminated_at is None or of.terminated_at > of.activated_at + dt.timedelta(seconds=1))
    assert billed(of) == [line for line in expected(of) if line.kind != "b"]
