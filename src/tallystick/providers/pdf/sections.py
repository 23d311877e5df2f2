"""Which fees stand together: sections per subscription, blocks per period, the order inside (invoicing.md §21.1, 5).

The text of a single fee is `fees.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tallystick.providers.pdf.fees import add_on_row, credit_row, name_of, rows_of
from tallystick.providers.pdf.model import Block, Row, Section
from tallystick.providers.pdf.setting import DOT, Setting, Wire, number

Span = tuple[date, date] | None
_RANK = {"subscription": 0, "fixed_charge": 1, "charge": 2, "product": 2, "commitment": 3}


def sections_of(invoice: Wire, setting: Setting) -> tuple[tuple[Section, ...], tuple[Section, ...]]:
    """Sections before the totals, and the detail pages after them (only with several subscriptions)."""
    fees, kind = list(invoice.get("fees") or ()), invoice["invoice_type"]
    if kind in ("one_off", "add_on"):
        return (_flat(tuple(add_on_row(fee, setting) for fee in fees), _columns(setting), setting),), ()
    if kind == "credit":
        columns = ("item", "credits", "rate", "amount")
        return (_flat(tuple(credit_row(fee, setting) for fee in fees), columns, setting),), ()
    subscriptions = _with_fees(invoice, fees)
    together = kind == "advance_charges" or len(subscriptions) < 2
    details = tuple(_details(invoice, row, own, setting, with_total=not together) for row, own in subscriptions)
    return (details, ()) if together else ((_summary(subscriptions, setting),), details)


def _with_fees(invoice: Wire, fees: Sequence[Wire]) -> list[tuple[Wire, list[Wire]]]:
    """Each subscription with its fees; fees of a subscription not listed stand under their own heading."""
    listed = {row["lago_id"]: row for row in invoice.get("subscriptions") or ()}
    for fee in fees:
        listed.setdefault(fee.get("lago_subscription_id"), {"lago_id": fee.get("lago_subscription_id")})
    grouped: dict[object, list[Wire]] = {key: [] for key in listed}
    for fee in fees:
        grouped[fee.get("lago_subscription_id")].append(fee)
    return [(row, grouped[key]) for key, row in listed.items()]


def _details(invoice: Wire, subscription: Wire, fees: Sequence[Wire], setting: Setting, *, with_total: bool) -> Section:
    blocks = _blocks(invoice, subscription, fees, setting)
    if with_total:
        blocks = (*blocks, Block("", (_sum_row("total", subscription, fees, setting, ("", "", "")),)))
    title = setting.words.say("details", subscription=subscription_name(subscription, fees))
    return Section(title, _texts(_columns(setting), setting), blocks)


def _blocks(invoice: Wire, subscription: Wire, fees: Sequence[Wire], setting: Setting) -> tuple[Block, ...]:
    plan = subscription.get("plan") or {}
    shown = visible(fees)
    true_ups = {fee["lago_true_up_parent_fee_id"]: fee for fee in shown if fee.get("lago_true_up_parent_fee_id")}
    spans = {fee["lago_id"]: _span(fee, invoice, setting) for fee in shown}
    parents = [fee for fee in shown if not fee.get("lago_true_up_parent_fee_id")]
    known = {fee["lago_id"] for fee in parents}
    parents += [fee for parent, fee in true_ups.items() if parent not in known]
    grouped: dict[Span, list[Wire]] = {}
    for fee in sorted(parents, key=order_of):
        span = spans[fee["lago_id"]]
        if fee["item"]["type"] == "commitment" and grouped:
            span = list(grouped)[-1]  # a commitment has no dates of its own and closes the last block
        grouped.setdefault(span, []).append(fee)
    blocks = []
    for span, members in grouped.items():
        rows: list[Row] = []
        for fee in members:
            follower = true_ups.get(fee["lago_id"])
            for line in (fee, follower) if follower else (fee,):
                rows += rows_of(line, plan, fees, setting)
        blocks.append(Block(_span_title(span, setting), tuple(rows)))
    return (*blocks, *_breakdowns(parents, setting))


def visible(fees: Sequence[Wire]) -> list[Wire]:
    """Fees that are printed: not the zero ones, save commitments, true-up parents, and a plan fee standing alone."""
    others = [fee for fee in fees if fee["item"]["type"] != "subscription" and not _is_hidden(fee)]
    plans = [fee for fee in fees if fee["item"]["type"] == "subscription" and (fee["amount_cents"] or not others)]
    return [*plans, *others]


def subscription_name(subscription: Wire, fees: Sequence[Wire]) -> str:
    """Subscription name, else the plan's display name, else what its plan fee or code says."""
    plan = subscription.get("plan") or {}
    own = subscription.get("name") or plan.get("invoice_display_name") or plan.get("name")
    of_fee = next((name_of(fee) for fee in fees if fee["item"]["type"] == "subscription"), None)
    return str(own or of_fee or subscription.get("plan_code") or "")


def _is_hidden(fee: Wire) -> bool:
    kept = fee["item"]["type"] == "commitment" or fee.get("lago_true_up_fee_id")
    return not kept and number(fee["units"]) == 0 and fee["amount_cents"] == 0


def order_of(fee: Wire) -> tuple[int, str, str]:
    """Where a fee stands among others: by what it is for, then by name."""
    return _RANK.get(fee["item"]["type"], 2), name_of(fee).casefold(), str(fee["lago_id"])


def _span(fee: Wire, invoice: Wire, setting: Setting) -> Span:
    if not (fee.get("from_date") and fee.get("to_date")):
        return None
    start, end = (setting.formats.day_at(fee[key]) for key in ("from_date", "to_date"))
    if invoice["invoice_type"] == "progressive_billing":
        end = date.fromisoformat(invoice["issuing_date"])
    return start, end


def _span_title(span: Span, setting: Setting) -> str:
    if span is None:
        return ""
    start, end = map(setting.formats.day, span)
    return setting.words.say("period", start=start, end=end)


def _breakdowns(fees: Sequence[Wire], setting: Setting) -> tuple[Block, ...]:
    """One table of units per fee with presentation keys configured for the invoice."""
    blocks = []
    for fee in fees:
        rows = tuple(
            Row(
                "part",
                DOT.join(f"{key}: {value}" for key, value in entry["presentation_by"].items()),
                (setting.formats.units(number(entry["units"])), "", "", ""),
            )
            for entry in fee.get("presentation_breakdowns") or ()
        )
        if rows:
            blocks.append(Block(setting.words.say("breakdown_of", charge=name_of(fee)), rows))
    return tuple(blocks)


def _summary(subscriptions: Sequence[tuple[Wire, list[Wire]]], setting: Setting) -> Section:
    """First page of an invoice over several subscriptions: each with its total, its commitment apart."""
    rows: list[Row] = []
    for subscription, fees in subscriptions:
        plain = [fee for fee in fees if fee["item"]["type"] != "commitment"]
        rows.append(_sum_row("line", subscription, plain, setting, (), named=subscription_name(subscription, fees)))
        plan = subscription.get("plan") or {}
        for fee in fees:
            if fee["item"]["type"] == "commitment":
                line = rows_of(fee, plan, fees, setting)[0]
                rows.append(Row("line", line.name, line.cells[-1:]))
    columns = _texts(("item", "amount"), setting)
    return Section(setting.words.say("subscriptions"), columns, (Block("", tuple(rows)),))


def _sum_row(
    kind: str, subscription: Wire, fees: Sequence[Wire], setting: Setting, empty: tuple[str, ...], named: str = ""
) -> Row:
    name = named or setting.words.say("subscription_total", subscription=subscription_name(subscription, fees))
    amount = setting.formats.money(sum(int(fee["amount_cents"]) for fee in fees))
    return Row("total" if kind == "total" else "line", name, (*empty, amount))


def _flat(rows: tuple[Row, ...], columns: tuple[str, ...], setting: Setting) -> Section:
    return Section("", _texts(columns, setting), (Block("", rows),))


def _columns(setting: Setting) -> tuple[str, ...]:
    return ("item", "units", "unit_price", "tax", "amount")


def _texts(labels: tuple[str, ...], setting: Setting) -> tuple[str, ...]:
    return tuple(setting.words.say(label) for label in labels)
