"""Two years of random lives: changes of plan, moves, ends, new beginnings, units, clock jumps, against the oracle.

Afterwards every row was billed exactly what `tests/support/oracle.py` works out, and its usage windows join without
hole or overlap. `TALLYSTICK_WALKS` sets how many walks there are (1), `TALLYSTICK_WALK_SEED` the first seed; a
failing walk prints its own.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on
from tests.support.catalog import charge, metric, plan
from tests.support.oracle import SHIFT, Life, Line, Terms, UnitsChange, expected, local
from tests.support.subscriptions import at, subscribe

SEED = int(os.environ.get("TALLYSTICK_WALK_SEED", "1"))
WALKS = int(os.environ.get("TALLYSTICK_WALKS", "1"))

ZONES = (
    *("UTC", "Europe/Paris", "America/New_York", "Pacific/Auckland", "Pacific/Pago_Pago", "Asia/Tokyo"),
    *("Pacific/Kiritimati", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo"),
)
PLANS = {
    "week": Terms("weekly", 700, advance=False),
    "month": Terms("monthly", 3000, advance=False, units=7),
    "ahead": Terms("monthly", 3000, advance=True),
    "tried": Terms("monthly", 9000, advance=True, trial_days=20),
    "later": Terms("monthly", 2500, advance=False, trial_days=40, units=3),
    "quarter": Terms("quarterly", 10_000, advance=True, units=5),
    "half": Terms("semiannual", 20_000, advance=False, split_usage=True),
    "half-tried": Terms("semiannual", 30_000, advance=True, trial_days=35, split_usage=True, split_fixed=True),
    "year": Terms("yearly", 50_000, advance=False, split_fixed=True, units=4),
    "year-ahead": Terms("yearly", 36_000, advance=True, split_usage=True),
}
START = dt.datetime(2023, 1, 20, 10, 7, tzinfo=dt.UTC)
UNTIL = dt.datetime(2025, 2, 10, tzinfo=dt.UTC)


@dataclass
class Walk:
    """What was asked for on the way: zones of customers, changes of units of rows."""

    dice: random.Random
    api: Api
    installation: Installation
    now: dt.datetime = START
    zones: dict[str, list[tuple[dt.datetime, str]]] = field(default_factory=dict)
    changes: dict[str, list[UnitsChange]] = field(default_factory=lambda: defaultdict(list))
    fixed_ids: dict[tuple[str, str], str] = field(default_factory=dict)

    async def run(self) -> None:
        await self.settle()
        self.shop()
        while self.now < UNTIL:
            if self.dice.random() < 0.25:
                self.move(self.dice.choice(sorted(self.zones)))
                await self.settle()
                self.now += dt.timedelta(minutes=1)
                await self.settle()
            begun = [self.act() for _ in range(self.dice.randint(1, 3))]
            if True in begun:
                await self.settle()
            self.now += dt.timedelta(days=self.dice.randint(0, 26), hours=self.dice.randint(1, 23))
            await self.settle()

    async def settle(self) -> None:
        await at(self.installation, self.api, self.now.isoformat())

    def shop(self) -> None:
        add_on(self.api, "seat", 100)
        events = charge(metric(self.api), properties={"amount": "1"})
        for code, terms in PLANS.items():
            seats = {"add_on_code": "seat", "charge_model": "standard", "properties": {"amount": "1"}}
            made = plan(
                self.api,
                code,
                interval=terms.interval,
                amount_cents=terms.cents,
                pay_in_advance=terms.advance,
                trial_period=terms.trial_days,
                bill_charges_monthly=terms.split_usage,
                bill_fixed_charges_monthly=terms.split_fixed,
                charges=[events],
                fixed_charges=[
                    {**seats, "code": "a", "units": terms.units, "prorated": True},
                    {**seats, "code": "b", "units": terms.units, "pay_in_advance": True},
                ],
            )
            for row in made["fixed_charges"]:
                self.fixed_ids[code, row["code"]] = row["lago_id"]
        for number in range(4):
            self.move(f"c{number}")

    def move(self, customer: str) -> None:
        zone = self.dice.choice(ZONES)
        self.zones.setdefault(customer, []).append((self.now if self.zones.get(customer) else START - SHIFT, zone))
        self.api.post("/customers", {"customer": {"external_id": customer, "timezone": zone}})

    def act(self) -> bool:
        """One thing that happens to a chain; whether it began, so that there may be work for this very moment now."""
        number = self.dice.randrange(12)
        name, customer = f"s{number}", f"c{number % 4}"
        rows = self.api.get(f"/subscriptions?external_id={name}&status[]=active&status[]=pending")["subscriptions"]
        active = next((row for row in rows if row["status"] == "active"), None)
        waits = any(row["status"] == "pending" for row in rows)
        if active is None:
            if not waits:
                self.begin(customer, name)
        else:
            doings = [self.change_plan, self.change_plan, self.change_units, self.change_units, self.stop, self.set_end]
            self.dice.choice(doings)(customer, active)
            if waits and self.dice.random() < 0.3:
                self.api.delete(f"/subscriptions/{name}?status=pending", (200, 404))
        return active is None

    def begin(self, customer: str, name: str) -> None:
        shift = self.dice.choice([0, 0, 0, -self.dice.randint(1, 70), self.dice.randint(1, 40)])
        more: dict[str, Any] = {"billing_time": self.dice.choice(["calendar", "anniversary"])}
        if shift:
            more["subscription_at"] = (self.now + dt.timedelta(days=shift)).isoformat()
        subscribe(self.api, self.dice.choice(list(PLANS)), of=customer, external_id=name, **more)

    def change_plan(self, customer: str, row: dict[str, Any]) -> None:
        subscribe(self.api, self.dice.choice(list(PLANS)), of=customer, external_id=row["external_id"])

    def change_units(self, _: str, row: dict[str, Any]) -> None:
        change = UnitsChange(self.dice.choice("ab"), self.dice.randint(1, 20), self.now, self.dice.random() < 0.6)
        known = self.changes[row["lago_id"]]
        last = [one.units for one in known if one.charge == change.charge] or [PLANS[row["plan_code"]].units]
        if change.units == last[-1] or any(one.at == self.now for one in known):
            return
        asked = {
            "id": self.fixed_ids[row["plan_code"], change.charge],
            "units": str(change.units),
            "apply_units_immediately": change.at_once,
        }
        body = {"subscription": {"plan_overrides": {"fixed_charges": [asked]}}}
        self.api.put(f"/subscriptions/{row['external_id']}", body)
        known.append(change)

    def stop(self, _: str, row: dict[str, Any]) -> None:
        if self.dice.random() < 0.5:
            mode = self.dice.choice(["generate", "generate", "skip"])
            self.api.delete(f"/subscriptions/{row['external_id']}", on_termination_invoice=mode)

    def set_end(self, _: str, row: dict[str, Any]) -> None:
        ending_at = (self.now + dt.timedelta(days=self.dice.randint(2, 60))).isoformat()
        chosen = ending_at if self.dice.random() < 0.6 else None
        self.api.put(f"/subscriptions/{row['external_id']}", {"subscription": {"ending_at": chosen}})


_ROWS = """
    select s.*, p.code as plan_code, c.external_id as customer,
      (select min(o.started_at) from subscriptions o
       where o.external_id = s.external_id and o.customer_id = s.customer_id) as trial_started_at
    from subscriptions s join plans p on p.id = s.plan_id join customers c on c.id = s.customer_id
    where s.organization_id = :organization and s.started_at is not null order by s.external_id, s.created_at"""
_FEES = """
    select f.subscription_id, f.created_at, f.amount_cents,
      case when f.fee_type = 'subscription' then 'plan' else x.code end as kind
    from fees f left join fixed_charges x on x.id = f.fixed_charge_id
    where f.organization_id = :organization and f.live and f.fee_type in ('subscription', 'fixed_charge')
      and f.amount_cents <> 0"""
_WINDOWS = """
    select subscription_id, charges_from_at, charges_to_at from invoice_subscriptions
    where organization_id = :organization and charges_from_at is not null
      and invoicing_reason in ('subscription_periodic', 'subscription_terminating')
    order by charges_from_at, charges_to_at"""


@pytest.mark.parametrize("seed", range(SEED, SEED + WALKS))
async def test_everything_is_billed_once(api: Api, installation: Installation, seed: int) -> None:
    walk = Walk(random.Random(seed), api, installation)
    await walk.run()
    async with installation.database.begin() as tx:
        of = {"organization": uuid.UUID(api.organization["lago_id"])}
        rows = list(await tx.execute(text(_ROWS), of))
        fees = list(await tx.execute(text(_FEES), of))
        windows = list(await tx.execute(text(_WINDOWS), of))
    billed: dict[uuid.UUID, list[Line]] = defaultdict(list)
    for fee in fees:
        billed[fee.subscription_id].append(Line(fee.created_at, fee.kind, fee.amount_cents))
    assert len(rows) > 30
    for row in rows:
        life = _life(walk, row)
        assert sorted(billed[row.id]) == expected(life), f"seed {seed}: {row.external_id} {row.id} {life}"
        joined = [(one.charges_from_at, one.charges_to_at) for one in windows if one.subscription_id == row.id]
        assert all(one[1] == after[0] for one, after in pairwise(joined)), f"seed {seed}: {row.external_id} {joined}"
        if row.ending_at is not None and row.status == "active":
            zone = life.zones[-1][1]
            assert local(row.ending_at, zone) > local(walk.now, zone), f"seed {seed}: {row.external_id} goes on"


def _life(walk: Walk, row: Any) -> Life:
    return Life(
        terms=PLANS[row.plan_code],
        anniversary=row.billing_time == "anniversary",
        subscription_at=row.subscription_at,
        activated_at=row.activated_at,
        started_at=row.started_at,
        trial_started_at=row.trial_started_at,
        kept_at=walk.now,
        zones=walk.zones[row.customer],
        terminated_at=row.terminated_at,
        replaced_by=row.replaced_by,
        final_invoice=row.on_termination_invoice == "generate",
        changes=walk.changes[str(row.id)],
    )
