"""Copies onto computed invoices the custom sections that apply to them: two queries for a set, one when none exist.

Which apply is core/custom_sections.py's rule; the copies are the invoices room's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from tallystick.core.custom_sections import CustomerVoice, Voice, applicable
from tallystick.ground.db import Tx
from tallystick.ground.tables import Customer, CustomSection, CustomSectionLink, Subscription
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.invoices import sections
from tallystick.rooms.invoices.sections import Applied


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request says about the sections of the one invoice it makes."""

    skips: bool = False
    sections: tuple[CustomSection, ...] = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """An invoice that was just computed: whose it is, over which subscriptions, at the request of whom."""

    id: uuid.UUID
    organization_id: uuid.UUID
    customer_id: uuid.UUID
    billing_entity_id: uuid.UUID
    subscription_ids: tuple[uuid.UUID, ...]
    at: dt.datetime
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What all parties of a set of invoices selected, and who skips sections."""

    links: Mapping[tuple[str, uuid.UUID], Sequence[CustomSection]]
    skipping: frozenset[uuid.UUID]

    def of(self, kind: Owner, owner_id: uuid.UUID, section_type: str = "manual") -> tuple[uuid.UUID, ...]:
        found = self.links.get((kind.value, owner_id), ())
        return tuple(section.id for section in found if section.section_type == section_type)


async def apply_sections(tx: Tx, invoices: Sequence[Computed], *, new: bool = True) -> None:
    """Give the invoices their sections in place of those they had; `new` ones had none."""
    links = await _links(tx, invoices)
    chosen = {section.id: section for one in invoices if one.choice for section in one.choice.sections}
    if not links and not chosen and new:
        return
    known = _Known(links, await _skipping(tx, invoices) if links or chosen else frozenset())
    every = chosen | {section.id: section for found in links.values() for section in found}
    applied = {
        one.id: Applied(one.organization_id, tuple(every[key] for key in _sections_of(one, known)), one.at)
        for one in invoices
    }
    await sections.replace(tx, applied, new=new)


def _sections_of(one: Computed, known: _Known) -> tuple[uuid.UUID, ...]:
    voices = [Voice(key in known.skipping, known.of(Owner.SUBSCRIPTION, key)) for key in one.subscription_ids]
    if one.choice is not None:
        voices.append(Voice(one.choice.skips, tuple(section.id for section in one.choice.sections)))
    customer = CustomerVoice(
        one.customer_id in known.skipping,
        known.of(Owner.CUSTOMER, one.customer_id),
        known.of(Owner.CUSTOMER, one.customer_id, "system_generated"),
    )
    return applicable(voices, customer, known.of(Owner.BILLING_ENTITY, one.billing_entity_id))


async def _links(tx: Tx, invoices: Sequence[Computed]) -> dict[tuple[str, uuid.UUID], list[CustomSection]]:
    owners = {key for one in invoices for key in (one.customer_id, one.billing_entity_id, *one.subscription_ids)}
    statement = (
        select(CustomSectionLink.owner_kind, CustomSectionLink.owner_id, CustomSection)
        .join(CustomSection, CustomSection.id == CustomSectionLink.section_id)
        .where(
            CustomSectionLink.organization_id.in_({one.organization_id for one in invoices}),
            CustomSectionLink.owner_id.in_(owners),
            CustomSection.deleted_at.is_(None),
        )
        .order_by(CustomSectionLink.created_at, CustomSectionLink.id)
    )
    found: dict[tuple[str, uuid.UUID], list[CustomSection]] = {}
    for kind, owner_id, section in await tx.execute(statement):
        found.setdefault((kind, owner_id), []).append(section)
    return found


async def _skipping(tx: Tx, invoices: Sequence[Computed]) -> frozenset[uuid.UUID]:
    """The customers and subscriptions that want no sections."""
    customers = select(Customer.id).where(
        Customer.id.in_({one.customer_id for one in invoices}), Customer.skip_invoice_custom_sections
    )
    subscriptions = select(Subscription.id).where(
        Subscription.id.in_({key for one in invoices for key in one.subscription_ids}),
        Subscription.skip_invoice_custom_sections,
    )
    return frozenset(await tx.scalars(customers.union_all(subscriptions)))
