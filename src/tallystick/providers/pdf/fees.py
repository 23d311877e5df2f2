"""Rows of single fees: names, notes and cells of plan, charges, true-ups, commitments, add-ons and credits.

Which fees stand together, and in which order, is `sections.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallystick.core.commitments import DEFAULT_NAME
from tallystick.providers.pdf.model import Row
from tallystick.providers.pdf.setting import DOT, Setting, Wire, number
from tallystick.providers.pdf.tiers import parts_of


def name_of(fee: Wire) -> str:
    """Display name, then filter and group values after " • "."""
    item = fee["item"]
    values = [item.get("filter_invoice_display_name"), *(item.get("grouped_by") or {}).values()]
    return DOT.join(str(value) for value in (item.get("invoice_display_name") or item["name"], *values) if value)


def line_name(fee: Wire, plan: Wire, setting: Setting) -> str:
    """Name of a fee's line without notes: plans with their interval, true-ups and commitments as such."""
    return _naming(fee, plan, {}, (), setting)[0]


def rows_of(fee: Wire, plan: Wire, siblings: Sequence[Wire], setting: Setting) -> tuple[Row, ...]:
    """Rows of one fee: a line, or a group with its sub-table and subtotal. `plan` may be empty when not known.

    `siblings` are the fees of the same subscription; a true-up reads what its charge used from them.
    """
    charge = charge_of(fee, plan)
    name, notes = _naming(fee, plan, charge, siblings, setting)
    parts = parts_of(fee, setting)
    units, tax, amount = _figures(fee, setting)
    if not parts:
        price = setting.formats.price(number(fee["precise_unit_amount"]))
        return (Row("line", name, (units, price, tax, amount), notes),)
    subtotal = Row("subtotal", setting.words.say("subtotal"), ("", "", tax, amount))
    return (Row("group", name, (units, "", "", ""), notes), *parts, subtotal)


def charge_of(fee: Wire, plan: Wire) -> Wire:
    """The charge of a fee when the plan is given with its charges, else an empty object."""
    wanted = fee.get("lago_charge_id") or fee.get("lago_fixed_charge_id")
    charges = [*(plan.get("charges") or ()), *(plan.get("fixed_charges") or ())]
    return next((charge for charge in charges if charge["lago_id"] == wanted), {})


def credit_row(fee: Wire, setting: Setting) -> Row:
    """The one line of a credit invoice: transaction name, credits, rate, amount."""
    named = fee["item"].get("name")
    name = named if named and named != "credit" else setting.words.say("prepaid_credits")
    rate = setting.formats.price(number(fee["precise_unit_amount"]))
    return Row("line", str(name), (setting.formats.units(number(fee["units"])), rate, _amount(fee, setting)))


def add_on_row(fee: Wire, setting: Setting) -> Row:
    """A line of a one-off invoice: add-on, description, period, units, unit price, tax, amount."""
    notes = [str(fee["description"])] if fee.get("description") else []
    if fee.get("from_date") and fee.get("to_date"):
        notes.append(setting.period(fee["from_date"], fee["to_date"]))
    units, tax, amount = _figures(fee, setting)
    price = setting.formats.price(number(fee["precise_unit_amount"]))
    return Row("line", name_of(fee), (units, price, tax, amount), tuple(notes))


def _figures(fee: Wire, setting: Setting) -> tuple[str, str, str]:
    formats = setting.formats
    tax = formats.percent(number(fee.get("taxes_rate")))
    return formats.units(number(fee["units"])), tax, _amount(fee, setting)


def _amount(fee: Wire, setting: Setting) -> str:
    return setting.formats.money(int(fee["amount_cents"]))


def _naming(
    fee: Wire, plan: Wire, charge: Wire, siblings: Sequence[Wire], setting: Setting
) -> tuple[str, tuple[str, ...]]:
    """Name of a fee's line and the notes under it."""
    kind, say = fee["item"]["type"], setting.words.say
    if kind == "subscription":
        return say(_plan_label(plan), plan=name_of(fee)), ()
    if kind == "commitment":
        own = (plan.get("minimum_commitment") or {}).get("invoice_display_name")
        named = plan.get("invoice_display_name") or plan.get("name") or name_of(fee)
        return str(own or (say("commitment", plan=named) if named != DEFAULT_NAME else named)), ()
    if fee.get("lago_true_up_parent_fee_id"):
        return say("true_up", charge=name_of(fee)), _minimum_note(fee, charge, siblings, setting)
    return name_of(fee), _usage_notes(fee, plan, charge, setting)


def _plan_label(plan: Wire) -> str:
    return f"plan_{plan['interval']}" if plan.get("interval") else "plan"


def _minimum_note(fee: Wire, charge: Wire, siblings: Sequence[Wire], setting: Setting) -> tuple[str, ...]:
    minimum = int(charge.get("min_amount_cents") or 0)
    if not minimum:
        return ()
    own = [sibling for sibling in siblings if sibling.get("lago_charge_id") == fee.get("lago_charge_id")]
    reached = sum(_cents_in_own_unit(sibling) for sibling in own)
    unit = (fee.get("pricing_unit_details") or {}).get("short_name")
    formats = setting.formats
    amount = formats.amount(Decimal(minimum) / 100, unit) if unit else formats.money(minimum)
    # Usage and true-up together reach the minimum due; below the full minimum it was prorated (rating.md §13).
    label = "minimum_spend_prorated" if reached < minimum else "minimum_spend"
    return (setting.words.say(label, amount=amount),)


def _cents_in_own_unit(fee: Wire) -> int:
    return int((fee.get("pricing_unit_details") or fee)["amount_cents"])


def _usage_notes(fee: Wire, plan: Wire, charge: Wire, setting: Setting) -> tuple[str, ...]:
    say, formats = setting.words.say, setting.formats
    notes = []
    if charge.get("prorated"):
        notes.append(_used_days(fee, setting) if fee.get("pay_in_advance") else say("prorated"))
        if (label := f"units_{plan.get('interval')}") and setting.words.knows(label):
            notes.append(say(label, units=formats.units(number(fee["units"]))))
    if fee.get("events_count"):
        notes.append(say("events", count=formats.units(number(fee["events_count"]))))
    if unit := fee.get("pricing_unit_details"):
        notes.append(_conversion(unit, setting))
    if fee.get("succeeded_at") and not fee.get("invoiceable", True):
        notes.append(say("paid_on", date=formats.day(formats.day_at(fee["succeeded_at"]))))
    return tuple(note for note in notes if note)


def _conversion(unit: Mapping[str, Any], setting: Setting) -> str:
    name = unit["short_name"]
    amount = setting.formats.amount(Decimal(unit["amount_cents"]) / 100, name)  # always two decimals, rating.md §15
    return setting.words.say(
        "conversion", amount=amount, rate=setting.formats.price(number(unit["conversion_rate"])), unit=name
    )


def _used_days(fee: Wire, setting: Setting) -> str:
    """Days from the event to the end of its period, of the days of the period; empty when the dates are absent."""
    if not (fee.get("from_date") and fee.get("to_date") and fee.get("created_at")):
        return ""
    start, event, end = (setting.formats.day_at(fee[key]) for key in ("from_date", "created_at", "to_date"))
    return setting.words.say("used_days", used=(end - event).days + 1, total=(end - start).days + 1)
