"""Pricing units: units other than money in which charges have their prices (rating.md §15).

What a charge's unit costs in money is the charge's own; what a fee comes to is the core's.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Select, select

from tallystick.core.money import precise
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound, Problems
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Charge, PricingUnit

Fields = Mapping[str, Any]

MAX_SHORT_NAME = 3
MAX_DESCRIPTION = 600
_CHANGEABLE = ("name", "short_name", "description")
#: rates are kept with fifteen digits before the point and as many after it
_RATE_LIMIT = Decimal(10) ** 15


async def find(tx: Tx, organization_id: uuid.UUID, code: str) -> PricingUnit:
    """A pricing unit by its code; 404 `pricing_unit_not_found`."""
    found = (await by_codes(tx, organization_id, [code])).get(code)
    if found is None:
        raise NotFound("pricing_unit")
    return found


async def create(tx: Tx, organization_id: uuid.UUID, at: dt.datetime, fields: Fields) -> PricingUnit:
    """A new pricing unit; raises `Invalid`."""
    row = PricingUnit(
        id=new_id(),
        organization_id=organization_id,
        code=fields.get("code") or "",
        name=fields.get("name") or "",
        short_name=fields.get("short_name") or "",
        description=fields.get("description"),
        created_at=at,
        updated_at=at,
    )
    problems = Problems()
    if not row.code:
        problems.add("code", "value_is_mandatory")
    elif await by_codes(tx, organization_id, [row.code]):
        problems.add("code", "value_already_exist")
    _check(row, problems)
    tx.add(row)
    await tx.flush()
    return row


async def update(tx: Tx, row: PricingUnit, at: dt.datetime, fields: Fields) -> PricingUnit:
    """Change names and description; the code stays, as charges and fees are known by it. Raises `Invalid`."""
    with tx.no_autoflush:
        for name in _CHANGEABLE:
            if name in fields:
                setattr(row, name, fields[name] if name == "description" else fields[name] or "")
        _check(row, Problems())
    row.updated_at = at
    await tx.flush()
    return row


def listing(organization_id: uuid.UUID) -> Select[PricingUnit]:
    """Pricing units of an organization, newest first."""
    return (
        select(PricingUnit)
        .where(PricingUnit.organization_id == organization_id)
        .order_by(PricingUnit.created_at.desc(), PricingUnit.id)
    )


async def by_codes(tx: Tx, organization_id: uuid.UUID, codes: Iterable[str]) -> dict[str, PricingUnit]:
    """code -> pricing unit; unknown codes are absent."""
    statement = listing(organization_id).where(PricingUnit.code.in_(list(codes)))
    return {row.code: row for row in await tx.scalars(statement)}


async def asked_for(tx: Tx, organization_id: uuid.UUID, items: Iterable[Fields]) -> dict[str, PricingUnit]:
    """The pricing units that the bodies of charges name."""
    codes = [code for item in items if (code := _code(item.get("applied_pricing_unit"))) is not None]
    return await by_codes(tx, organization_id, codes) if codes else {}


def apply(
    charge: Charge, asked: Any, known: Mapping[str, PricingUnit], problems: Problems, *, is_new: bool = False
) -> None:
    """Put `{code, conversion_rate}` on a charge; adds what rating.md §2 refuses.

    The unit is chosen when the charge is made; later only its rate changes, and other charges get none.
    """
    if not isinstance(asked, Mapping) or not asked:
        return
    if is_new:
        unit = known.get(_code(asked) or "")
        if unit is None:
            problems.add("pricing_unit", "relation_must_exist")
        charge.pricing_unit_id = unit.id if unit else None
    elif charge.pricing_unit_id is None or asked.get("conversion_rate") is None:
        return
    charge.conversion_rate = _rate(asked.get("conversion_rate"), problems)


def _code(asked: Any) -> str | None:
    code = asked.get("code") if isinstance(asked, Mapping) else None
    return None if code is None or isinstance(code, dict | list) else str(code)


def _rate(given: Any, problems: Problems) -> Decimal | None:
    """The rate as it is kept."""
    if given is None or given == "":
        problems.add("conversion_rate", "value_is_mandatory")
        return None
    try:
        rate = Decimal(0) if isinstance(given, bool | list | dict) else Decimal(str(given))
        rate = precise(rate) if rate.is_finite() and rate < _RATE_LIMIT else Decimal(0)
    except InvalidOperation:
        rate = Decimal(0)
    if rate <= 0:
        problems.add("conversion_rate", "value_is_out_of_range")
        return None
    return rate


def _check(row: PricingUnit, problems: Problems) -> None:
    for name in ("name", "short_name"):
        if not getattr(row, name):
            problems.add(name, "value_is_mandatory")
    if len(row.short_name) > MAX_SHORT_NAME:
        problems.add("short_name", "value_is_too_long")
    if row.description is not None and len(row.description) > MAX_DESCRIPTION:
        problems.add("description", "value_is_too_long")
    problems.raise_if_any()
