"""Fixed charges of override plans: copies of the parent's that one subscription has (subscriptions.md §1.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.ground.errors import Forbidden, Problems
from tallystick.ground.ids import new_id, parse_id
from tallystick.ground.tables import FixedCharge
from tallystick.rooms.catalog import fixed_charges
from tallystick.rooms.catalog.fixed_charges import NewUnits, Written

Fields = Mapping[str, Any]

_INHERITED = (
    *("add_on_id", "code", "invoice_display_name", "charge_model", "pay_in_advance", "prorated"),
    *("units", "properties"),
)
#: what an entry has that changes units and nothing else
UNITS_ONLY = frozenset(("id", "units", "apply_units_immediately"))


def clones(
    parents: Sequence[FixedCharge], plan_id: uuid.UUID, own_units: Mapping[uuid.UUID, Decimal], at: dt.datetime
) -> list[FixedCharge]:
    """Copies for a child plan, in the order given; `own_units` are those that the subscription had instead."""
    return [
        FixedCharge(
            id=new_id(),
            organization_id=parent.organization_id,
            plan_id=plan_id,
            parent_id=parent.id,
            created_at=at,
            updated_at=at,
            **{
                **{name: getattr(parent, name) for name in _INHERITED},
                "units": own_units.get(parent.id, parent.units),
            },
        )
        for parent in parents
    ]


def change(rows: Sequence[FixedCharge], items: Sequence[Fields], at: dt.datetime, problems: Problems) -> Written:
    """Put overrides on the fixed charges of a child, named by their own id or by their parent's.

    403 `cannot_override_charge_model`. Adds what is wrong; unknown ids are ignored.
    """
    written = Written(list(rows))
    for item in items:
        wanted = parse_id(str(item.get("id")))
        row = next((one for one in rows if wanted is not None and wanted in (one.id, one.parent_id)), None)
        if row is None:
            continue
        if item.get("charge_model") not in (None, row.charge_model):
            raise Forbidden("cannot_override_charge_model")
        before = row.units
        for name in ("units", "invoice_display_name", "properties"):
            if item.get(name) is not None:
                setattr(row, name, item[name])
        fixed_charges.check(row, problems)
        row.updated_at = at
        if item.get("tax_codes") is not None:
            written.taxes[row.id] = list(item["tax_codes"])
        if row.units != before:
            written.new_units.append(NewUnits(row, bool(item.get("apply_units_immediately"))))
    return written


def asks_for_units_only(overrides: Fields | None) -> bool:
    """Whether `plan_overrides` ask for other units and nothing else: that makes no child plan."""
    asked = {key: value for key, value in (overrides or {}).items() if value is not None}
    items = asked.get("fixed_charges", ())
    given = ({key for key, value in item.items() if value is not None} for item in items)
    return asked.keys() == {"fixed_charges"} and all(keys <= UNITS_ONLY for keys in given)
