"""Texts of a trace annex: the lines of an invoice, each with the sentences that explain it. Drawn like an invoice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tallystick.providers.pdf.fees import line_name
from tallystick.providers.pdf.layout import lay_out_invoice
from tallystick.providers.pdf.model import Block, Document, Row, Section
from tallystick.providers.pdf.sections import order_of, subscription_name
from tallystick.providers.pdf.setting import Setting, Wire, number, setting_of


def lay_out_annex(
    invoice: Wire, sentences: Mapping[Any, Sequence[str]], entity: Wire, locale: str, *, marked: bool
) -> Document:
    """The annex of an invoice; `sentences` by the id of a fee. Lines of zero are in it, too."""
    setting = setting_of(invoice, locale)
    whole = lay_out_invoice(invoice, entity, locale, marked=marked)
    return replace(
        whole,
        title=setting.words.say("title_annex"),
        sections=(_section(invoice, sentences, setting),),
        mentions=(),
        passages=(),
        footer="",
        annexes=(),
    )


def _section(invoice: Wire, sentences: Mapping[Any, Sequence[str]], setting: Setting) -> Section:
    rows = {row["lago_id"]: row for row in invoice.get("subscriptions") or ()}
    grouped: dict[object, list[Wire]] = {}
    for fee in invoice["fees"]:
        grouped.setdefault(fee.get("lago_subscription_id"), []).append(fee)
    blocks = []
    for key, fees in grouped.items():
        row = rows.get(key, {})
        title = subscription_name(row, fees) if row else ""
        lines = tuple(_row(fee, row.get("plan") or {}, sentences, setting) for fee in sorted(fees, key=order_of))
        blocks.append(Block(title, lines))
    columns = tuple(setting.words.say(label) for label in ("item", "units", "amount"))
    return Section("", columns, tuple(blocks))


def _row(fee: Wire, plan: Wire, sentences: Mapping[Any, Sequence[str]], setting: Setting) -> Row:
    formats = setting.formats
    cells = (formats.units(number(fee["units"])), formats.money(fee["amount_cents"]))
    return Row("line", line_name(fee, plan, setting), cells, tuple(sentences.get(fee["lago_id"], ())))
