"""Which subscriptions a preview bills, and on which occasion: the scenarios of invoicing.md §18. No amounts here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallystick.core.contract import DOWNGRADE, UPGRADE, Billed, Contract, PlanTerms, yearly_value
from tallystick.core.occasion import Occasion, Reason
from tallystick.core.periods import BillingTime, local_date, local_midnight
from tallystick.flows.billing.load import load_contracts, load_issuers, load_plans
from tallystick.flows.billing.preview.asked import Asked
from tallystick.flows.billing.preview.parties import Party, issuer_id
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, NotFound
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Subscription
from tallystick.rooms.catalog import plans
from tallystick.rooms.subscriptions import store, units
from tallystick.rooms.subscriptions.terms import Terms, terms_of

NOTHING_BILLED = Billed(
    tick_on=None,
    timezone=None,
    moved=False,
    charges_to_at=None,
    fixed_to_at=None,
    plan_to_at=None,
    plan_fee_at=None,
    first_plan_fee_at=None,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A subscription on the previewed invoice; `stored` tells whether there is such a row."""

    contract: Contract
    occasion: Occasion
    stored: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    """A subscription that is asked for, as it is billed, with what decides its dates."""

    contract: Contract
    terms: Terms

    @property
    def next_tick_on(self) -> dt.date:
        """Its next billing day; that of a row that has not started, as if it had."""
        found = self.terms.next_tick_on
        assert self.contract.started_at is not None
        return found or self.contract.schedule.first_tick_on(self.contract.started_at, self.contract.started_at)


async def scene(tx: Tx, asked: Asked, payer: Party, at: dt.datetime) -> list[Entry]:
    """What the previewed invoice is made of; the first scenario that fits counts."""
    if not asked.external_ids:
        return [await _proposal(tx, asked, payer, at)]
    if not payer.known:
        raise Invalid.field("customer", "must_be_persisted")
    rows = await _rows(tx, asked.external_ids, payer, at)
    _check_together(rows)
    ends_at = _end_of(asked, rows, at)
    if ends_at is not None:
        return [_ended(rows[0], ends_at)]
    if asked.new_plan_code is not None:
        return await _changed(tx, asked.new_plan_code, rows, at)
    return await _projected(tx, rows)


# -- a new subscription ---------------------------------------------------------------------------------


async def _proposal(tx: Tx, asked: Asked, payer: Party, at: dt.datetime) -> Entry:
    """Billed at its start when its plan is paid in advance, else at the first tick."""
    if asked.plan_code is None:
        raise NotFound("plan")
    plan = await plans.find(tx, payer.row.organization_id, asked.plan_code)
    starts_at = asked.subscription_at or at
    issued_by = await issuer_id(tx, payer, asked.billing_entity_code)
    terms = (await load_plans(tx, {plan.id}))[plan.id]
    contract = Contract(
        organization_id=payer.row.organization_id,
        subscription_id=new_id(),
        external_id="",
        name=None,
        status="active",
        billing_time=BillingTime(asked.billing_time),
        subscription_at=starts_at,
        started_at=starts_at,
        created_at=at,
        terminated_at=None,
        ending_at=None,
        trial_started_at=starts_at,
        trial_ended_at=None,
        consolidate_invoice=True,
        purchase_order_number=None,
        payment_method="provider",
        plan=terms,
        successor=None,
        replaced_by=None,
        customer=payer.terms,
        issuer=(await load_issuers(tx, {issued_by}))[issued_by],
        billed=NOTHING_BILLED,
        assumed_units=_units_of(terms),
    )
    if terms.pay_in_advance:
        return Entry(contract, Occasion(contract.subscription_id, Reason.STARTING, starts_at), stored=False)
    tick_at = contract.schedule.tick_at(contract.schedule.first_tick_on(starts_at, starts_at))
    return Entry(contract, Occasion(contract.subscription_id, Reason.PERIODIC, tick_at), stored=False)


def _units_of(plan: PlanTerms, own: dict[tuple[uuid.UUID, uuid.UUID], Any] | None = None) -> dict[uuid.UUID, Any]:
    """The units of a row that has not started: its own, else its plan's."""
    found = {charge_id: given for (_, charge_id), given in (own or {}).items()}
    return {charge.id: found.get(charge.id, charge.units) for charge in plan.fixed_charges}


# -- rows that there are --------------------------------------------------------------------------------


async def _rows(tx: Tx, external_ids: Sequence[str], payer: Party, at: dt.datetime) -> list[_Row]:
    """The active rows of these names, or the only one if it is to start; 404 `subscription_not_found`."""
    names = list(dict.fromkeys(external_ids))
    found = await store.active_of_customer(tx, payer.row.id, names)
    if len(names) == 1 and not found:
        found = await store.starting_of_customer(tx, payer.row.id, names[0])
    if len(found) < len(names):
        raise NotFound("subscription")
    contracts = await load_contracts(tx, [row.id for row in found])
    terms = await terms_of(tx, [row.id for row in found])
    return [_Row(await _started(tx, row, payer, at), terms[row.subscription_id]) for row in contracts]


async def _started(tx: Tx, contract: Contract, payer: Party, at: dt.datetime) -> Contract:
    """A row with the customer's terms of the preview, as if it had started."""
    billed, tz = contract.billed, payer.terms.timezone
    billed = replace(billed, moved=billed.moved or billed.timezone not in (None, tz))
    contract = replace(contract, customer=payer.terms, billed=billed)
    if contract.started_at is not None:
        return contract
    return await _starting(tx, contract, max(contract.subscription_at, at))


async def _starting(tx: Tx, contract: Contract, starts_at: dt.datetime) -> Contract:
    own = await units.overrides_of(tx, [contract.subscription_id])
    return replace(
        contract,
        status="active",
        started_at=starts_at,
        trial_started_at=contract.trial_started_at or starts_at,
        assumed_units=_units_of(contract.plan, own),
    )


def _check_together(rows: Sequence[_Row]) -> None:
    """One invoice has one currency, one issuer and one day (invoicing.md §18)."""
    for code, values in (
        ("subscription_currencies_does_not_match", {row.contract.plan.currency for row in rows}),
        ("subscription_billing_entities_do_not_match", {row.contract.issuer.id for row in rows}),
    ):
        if len(values) > 1:
            raise Invalid.field("base", code)


# -- they end -------------------------------------------------------------------------------------------


def _end_of(asked: Asked, rows: Sequence[_Row], at: dt.datetime) -> dt.datetime | None:
    """When the only subscription ends before it is billed again: as asked for, or on its own date."""
    if asked.terminated_at is not None:
        if len(rows) > 1:
            raise Invalid.field("subscriptions", "only_one_subscription_allowed_for_termination")
        if asked.terminated_at < at:
            raise Invalid.field("terminated_at", "cannot_be_in_past")
        return asked.terminated_at
    if asked.new_plan_code is not None or len(rows) > 1:
        return None
    (row,) = rows
    ending_at, tz = row.contract.ending_at, row.contract.customer.timezone
    if ending_at is None or local_date(ending_at, tz) > row.next_tick_on:
        return None
    # the time of day of the end is ignored (subscriptions.md §2.9)
    return max(local_midnight(local_date(ending_at, tz), tz), at)


def _ended(row: _Row, ends_at: dt.datetime) -> Entry:
    contract = row.contract
    assert contract.started_at is not None
    ends_at = max(ends_at, contract.started_at)
    closed = replace(contract, status="terminated", terminated_at=ends_at)
    return Entry(closed, Occasion(contract.subscription_id, Reason.TERMINATING, ends_at))


# -- they move to another plan --------------------------------------------------------------------------


async def _changed(tx: Tx, plan_code: str, rows: Sequence[_Row], at: dt.datetime) -> list[Entry]:
    """At once when the plan is not cheaper, else with the next period (subscriptions.md §2.5, §2.6)."""
    if len(rows) > 1:
        raise Invalid.field("subscriptions", "only_one_subscription_allowed_for_plan_change")
    contract = rows[0].contract
    plan = await plans.find(tx, contract.organization_id, plan_code)
    if plan.id == contract.plan.id:
        raise Invalid.field("base", "new_plan_should_be_different_from_existing_plan")
    terms = (await load_plans(tx, {plan.id}))[plan.id]
    if terms.currency != contract.plan.currency:
        raise Invalid.field("base", "subscription_currencies_does_not_match")
    changes_at, kind = at, UPGRADE
    if _yearly(terms) < _yearly(contract.plan):
        kind = DOWNGRADE
        schedule = contract.schedule
        changes_at = schedule.tick_at(schedule.containing(local_date(at, contract.customer.timezone)).end_on)
    assert contract.started_at is not None
    changes_at = max(changes_at, contract.started_at)
    new = replace(
        contract,
        subscription_id=new_id(),
        name=None,
        plan=terms,
        started_at=changes_at,
        created_at=at,
        trial_ended_at=None,
        billed=NOTHING_BILLED,
        previous_subscription_id=contract.subscription_id,
        assumed_units=_units_of(terms),
    )
    return _succession(contract, new, changes_at, kind, stored=False)


def _yearly(plan: PlanTerms) -> int:
    return yearly_value(plan.interval, plan.amount_cents)


def _succession(old: Contract, new: Contract, at: dt.datetime, kind: str, *, stored: bool) -> list[Entry]:
    """The closing of the old row, and the start of the new one if that is billed."""
    closed = replace(old, status="terminated", terminated_at=at, successor=new.plan, replaced_by=kind)
    entries = [Entry(closed, Occasion(old.subscription_id, Reason.TERMINATING, at))]
    first = _first_bill(new, at)
    return [*entries, Entry(new, first, stored=stored)] if first else entries


def _first_bill(new: Contract, at: dt.datetime) -> Occasion | None:
    """What the start of a succeeding row bills (subscriptions.md §2.5 step 6)."""
    trial_end_at = new.trial_end_at
    in_trial = trial_end_at is not None and at < trial_end_at
    if new.plan.pay_in_advance and not in_trial:
        return Occasion(new.subscription_id, Reason.STARTING, at)
    if any(charge.pay_in_advance for charge in new.plan.fixed_charges):
        reason = Reason.IN_ADVANCE_CHARGE if new.plan.pay_in_advance else Reason.STARTING
        return Occasion(new.subscription_id, reason, at)
    return None


# -- they go on -----------------------------------------------------------------------------------------


async def _projected(tx: Tx, rows: Sequence[_Row]) -> list[Entry]:
    """The next tick of all of them, which executes the changes of plan that wait for it."""
    ticks = {row.next_tick_on for row in rows}
    if len(ticks) > 1:
        raise Invalid.field("base", "billing_periods_does_not_match")
    waiting = {row.previous_subscription_id: row for row in await _waiting(tx, rows)}
    entries: list[Entry] = []
    for row in rows:
        tick_on = row.next_tick_on
        tick_at = row.contract.schedule.tick_at(tick_on)
        new = waiting.get(row.contract.subscription_id)
        if new is not None and _is_executed(row, new, tick_on):
            (pending,) = await load_contracts(tx, [new.id])
            started = await _starting(tx, replace(pending, customer=row.contract.customer), tick_at)
            entries.extend(_succession(row.contract, started, tick_at, DOWNGRADE, stored=True))
        else:
            entries.append(Entry(row.contract, Occasion(row.contract.subscription_id, Reason.PERIODIC, tick_at)))
    return entries


async def _waiting(tx: Tx, rows: Sequence[_Row]) -> list[Subscription]:
    return await store.successors_of(tx, [row.contract.subscription_id for row in rows])


def _is_executed(row: _Row, new: Subscription, tick_on: dt.date) -> bool:
    created_on = local_date(new.created_at, row.contract.customer.timezone)
    return row.contract.schedule.is_period_start(tick_on) and created_on < tick_on
