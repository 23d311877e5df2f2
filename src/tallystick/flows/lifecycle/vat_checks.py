"""Ask the registry about VAT numbers, and let its answers take effect (integrations.md §7).

When to ask is on the agenda, so sandbox organizations ask on their own clock; asking itself is a job, with no
transaction open.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tallystick.core import eu_vat, vat_numbers
from tallystick.core.vat_numbers import VatNumber
from tallystick.flows.billing.answered import taxes_known
from tallystick.flows.lifecycle.customer_taxes import buyer, outcome
from tallystick.ground import agenda, outbox
from tallystick.ground.agenda import Due
from tallystick.ground.db import Database, Tx
from tallystick.ground.domain_time import now_of
from tallystick.ground.jobs import Job, enqueue, queue_of
from tallystick.ground.tables import BillingEntity, Customer, Organization, VatCheck
from tallystick.rooms.customers import store as customers
from tallystick.rooms.taxes import generated, vat_checks
from tallystick.rooms.taxes import verbs as taxes
from tallystick.rooms.taxes.ports import Answer, Confirmed, Registry, Silent
from tallystick.rooms.taxes.store import Owner

TASK = "check_vat_numbers"
#: customers of one job
CHUNK = 20
#: an entry comes back after so long, should its job be lost
_AGAIN = dt.timedelta(hours=1)


async def check_due(tx: Tx, dues: Sequence[Due]) -> None:
    """Have these customers' numbers asked for; the entries stay until there is an answer."""
    by_organization: dict[uuid.UUID, list[uuid.UUID]] = {}
    for due in dues:
        by_organization.setdefault(due.organization_id, []).append(due.subject_id)
    statement = select(Organization.id, Organization.sandbox).where(Organization.id.in_(by_organization))
    jobs = [
        Job(TASK, {"customer_ids": ids[start : start + CHUNK]}, queue_of(organization_id, sandbox))
        for organization_id, sandbox in await tx.execute(statement)
        for ids in (by_organization[organization_id],)
        for start in range(0, len(ids), CHUNK)
    ]
    await enqueue(tx, jobs)
    await agenda.put(tx, [Due(due.kind, due.subject_id, due.organization_id, due.due_at + _AGAIN) for due in dues])


@dataclass(frozen=True, slots=True)
class _Question:
    """A number as it was given, as the registry knows it, and who asks."""

    given: str
    number: VatNumber
    requester: VatNumber | None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The job: asks for a chunk of customers, then writes what came of it. Safe to repeat."""

    database: Database
    registry: Registry

    async def run(self, customer_ids: Sequence[str]) -> None:
        """The job as it is stored."""
        ids = [uuid.UUID(text) for text in customer_ids]
        async with self.database.begin() as tx:
            questions = await _questions(tx, ids)
        asked = [self.registry.check(each.number, each.requester) for each in questions.values()]
        answers = dict(zip(questions, await asyncio.gather(*asked), strict=True))
        async with self.database.begin() as tx:
            await conclude(tx, {key: (questions[key].given, answer) for key, answer in answers.items()})


async def _questions(tx: Tx, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Question]:
    statement = (
        select(VatCheck, BillingEntity.tax_identification_number)
        .join(Customer, Customer.id == VatCheck.customer_id)
        .join(BillingEntity, BillingEntity.id == Customer.billing_entity_id)
        .where(VatCheck.customer_id.in_(customer_ids))
    )
    found = {}
    for check, requester in await tx.execute(statement):
        number = vat_numbers.parse(check.tax_identification_number)
        if number is not None:
            asking = vat_numbers.parse(requester) if requester else None
            found[check.customer_id] = _Question(check.tax_identification_number, number, asking)
    return found


async def conclude(tx: Tx, answers: Mapping[uuid.UUID, tuple[str, Answer]]) -> None:
    """Let answers take effect; `answers`: customer -> the number asked for and what the registry said of it.

    An answer for a number that the customer has no more is dropped.
    """
    await customers.lock(tx, list(answers))
    checks = {
        key: row
        for key, row in (await vat_checks.running(tx, list(answers))).items()
        if row.tax_identification_number == answers[key][0]
    }
    now = await now_of(tx, {row.organization_id for row in checks.values()})
    rows = {row.id: row for row in await customers.by_ids(tx, list(checks))}
    for organization_id, at in now.items():
        own = {key: row for key, row in checks.items() if row.organization_id == organization_id}
        await _conclude(tx, organization_id, at, own, rows, {key: answers[key][1] for key in own})


async def _conclude(
    tx: Tx,
    organization_id: uuid.UUID,
    at: dt.datetime,
    checks: Mapping[uuid.UUID, VatCheck],
    rows: Mapping[uuid.UUID, Customer],
    answers: Mapping[uuid.UUID, Answer],
) -> None:
    silent = {key: (checks[key], answer) for key, answer in answers.items() if isinstance(answer, Silent)}
    await vat_checks.postpone(tx, silent, at)
    answered = {key: answer for key, answer in answers.items() if key not in silent}
    codes = await _codes(tx, {key: rows[key] for key in answered}, answered)
    await generated.ensure(tx, organization_id, set(codes.values()), at)
    wanted = {key: [code] for key, code in codes.items()}
    await taxes.attach(tx, organization_id, Owner.CUSTOMER, wanted, at)
    for key, answer in answered.items():
        if isinstance(answer, Confirmed):
            await vat_checks.keep_proof(tx, checks[key], answer.request_identifier, answer.details, at)
    await outbox.emit(tx, [outcome(rows[key], _told(answer), at) for key, answer in answers.items()])
    await taxes_known(tx, await vat_checks.stop(tx, list(answered)), at)


async def _codes(
    tx: Tx, rows: Mapping[uuid.UUID, Customer], answers: Mapping[uuid.UUID, Answer]
) -> dict[uuid.UUID, str]:
    """customer -> the code of its tax; none where the issuer manages EU taxes no more."""
    ids = {row.billing_entity_id for row in rows.values()}
    entities = {row.id: row for row in await tx.scalars(select(BillingEntity).where(BillingEntity.id.in_(ids)))}
    found = {}
    for key, row in rows.items():
        entity, answer = entities[row.billing_entity_id], answers[key]
        if entity.eu_tax_management and entity.country is not None:
            found[key] = (
                eu_vat.confirmed_tax(entity.country, buyer(row), answer.country)
                if isinstance(answer, Confirmed)
                else eu_vat.unconfirmed_tax(entity.country, buyer(row))
            )
    return found


def _told(answer: Answer) -> dict[str, object]:
    """`vies_check` of the message (webhooks.md §3.17); only well-formed numbers are asked for."""
    if isinstance(answer, Confirmed):
        return {**answer.details, "valid": True}
    if isinstance(answer, Silent):
        return {"valid": False, "valid_format": True, "error": answer.message}
    return {"valid": False, "valid_format": True}
