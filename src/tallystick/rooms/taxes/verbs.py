"""What can be done with taxes: create, update, delete, attach (credits.md §2.1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Tax
from tallystick.rooms.taxes import store
from tallystick.rooms.taxes.store import Owner


async def find(tx: Tx, organization_id: uuid.UUID, code: str) -> Tax:
    """A live tax by its code; 404 `tax_not_found`."""
    tax = await store.by_code(tx, organization_id, code)
    if tax is None:
        raise NotFound("tax")
    return tax


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Mapping[str, Any]) -> Tax:
    """A new tax; `fields`: name, code, rate, description, applied_to_organization."""
    problems = Problems()
    for name in ("name", "code", "rate"):
        if fields.get(name) is None:
            problems.add(name, "value_is_mandatory")
    _check_rate(problems, fields.get("rate"))
    if fields.get("code") and await store.by_code(tx, organization_id, fields["code"]):
        problems.add("code", "value_already_exist")
    problems.raise_if_any()
    tax = Tax(
        id=new_id(),
        organization_id=organization_id,
        code=fields["code"],
        name=fields["name"],
        description=fields.get("description"),
        rate=fields["rate"],
        created_at=at,
        updated_at=at,
    )
    tx.add(tax)
    await tx.flush()
    await _apply_to_organization(tx, tax, fields.get("applied_to_organization"), at)
    return tax


async def update(tx: Tx, tax: Tax, at: dt.datetime, fields: Mapping[str, Any]) -> Tax:
    """Change the given fields; finalized documents keep their copies."""
    problems = Problems()
    for name in ("name", "code", "rate"):
        if name in fields and fields[name] is None:
            problems.add(name, "value_is_mandatory")
    _check_rate(problems, fields.get("rate"))
    code = fields.get("code")
    if code and code != tax.code and await store.by_code(tx, tax.organization_id, code):
        problems.add("code", "value_already_exist")
    problems.raise_if_any()
    for name in ("name", "code", "rate", "description"):
        if name in fields:
            setattr(tax, name, fields[name])
    tax.updated_at = at
    await tx.flush()
    await _apply_to_organization(tx, tax, fields.get("applied_to_organization"), at)
    return tax


async def delete(tx: Tx, tax: Tax, at: dt.datetime) -> Tax:
    """Detach from everything and hide; issued documents keep the copied name, code and rate."""
    await store.remove_links(tx, tax.id)
    tax.deleted_at = at
    await tx.flush()
    return tax


async def attach(
    tx: Tx,
    organization_id: uuid.UUID,
    kind: Owner,
    codes_by_owner: Mapping[uuid.UUID, Sequence[str]],
    at: dt.datetime,
    *,
    fold_case: bool = False,
) -> None:
    """Replace the taxes of each owner by those with these codes; 404 `tax_not_found` for an unknown one."""
    codes = {code for codes in codes_by_owner.values() for code in codes}
    known = await store.by_codes(tx, organization_id, sorted(codes), fold_case=fold_case)
    if any((code.lower() if fold_case else code) not in known for code in codes):
        raise NotFound("tax")
    wanted = {
        owner: list(dict.fromkeys(known[code.lower() if fold_case else code].id for code in codes))
        for owner, codes in codes_by_owner.items()
    }
    await store.replace_links(tx, organization_id, kind, wanted, at)


async def inherit(
    tx: Tx, organization_id: uuid.UUID, kind: Owner, heirs: Sequence[tuple[uuid.UUID, uuid.UUID]], at: dt.datetime
) -> None:
    """Each heir gets the taxes of its parent too; (parent, heir) of one kind."""
    owned = await store.of_owners(tx, kind, [parent for parent, _ in heirs])
    pairs = [(heir, tax.id) for parent, heir in heirs for tax in owned.get(parent, ())]
    await store.add_links(tx, organization_id, kind, pairs, at)


async def _apply_to_organization(tx: Tx, tax: Tax, applied: bool | None, at: dt.datetime) -> None:
    # the default billing entity has the organization's id (customers_entitlements.md §3)
    if applied is True:
        pair = (tax.organization_id, tax.id)
        await store.add_links(tx, tax.organization_id, Owner.BILLING_ENTITY, [pair], at)
    elif applied is False:
        await store.remove_links(tx, tax.id, Owner.BILLING_ENTITY, tax.organization_id)


#: percent; far above every real tax, and what the column can hold
MAX_RATE = 10**9


def _check_rate(problems: Problems, rate: Decimal | None) -> None:
    if rate is not None and not 0 <= rate <= MAX_RATE:
        problems.add("rate", "value_is_out_of_range")
