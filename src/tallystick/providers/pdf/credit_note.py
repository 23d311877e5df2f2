"""Texts of a credit note from top to bottom (invoicing.md §21.2). The drawing is that of invoices."""

from __future__ import annotations

from tallystick.providers.pdf.fees import line_name
from tallystick.providers.pdf.model import Block, Document, Row, Section, Total
from tallystick.providers.pdf.parties import metadata_of, parties_of
from tallystick.providers.pdf.sections import order_of
from tallystick.providers.pdf.setting import Setting, Wire, number, setting_of
from tallystick.providers.pdf.totals import footer_of, mentions_of, tax_total

_NOTICES = {"credit": "credited", "refund": "refunded", "offset": "offset"}


def lay_out_credit_note(note: Wire, billing_entity: Wire, locale: str, *, marked: bool = True) -> Document:
    """The document model of a credit note: its REST object with customer, items and applied taxes."""
    setting = setting_of(note, locale)
    say = setting.words.say
    language, _, region = locale.partition("-")
    return Document(
        language=language,
        region=region,
        title=say("title_credit_note"),
        number=str(note["number"]),
        facts=_facts(note, setting),
        metadata=metadata_of(note.get("customer") or {}),
        parties=parties_of(note, billing_entity, setting, buyer="credit_to"),
        headline=setting.formats.money(note["total_amount_cents"]),
        headline_note=notice_of(note, setting),
        sections=(Section("", tuple(say(label) for label in ("item", "tax", "amount")), _blocks(note, setting)),),
        totals=_totals(note, setting),
        mentions=mentions_of(note, billing_entity, setting),
        passages=(),
        footer=footer_of(note, billing_entity, setting),
        powered=say("powered") if marked else "",
        page=say("page", page="{page}", count="{count}"),
    )


def notice_of(note: Wire, setting: Setting) -> str:
    """What became of the amount, when it is one thing; else when the note was issued."""
    day = setting.formats.day(note["issuing_date"])
    given = [name for name in ("credit", "refund", "offset") if note[f"{name}_amount_cents"]]
    label = _NOTICES[given[0]] if len(given) == 1 else "issued_on"
    return setting.words.say(label, date=day, number=note["invoice_number"])


def _facts(note: Wire, setting: Setting) -> tuple[tuple[str, str], ...]:
    say = setting.words.say
    order = note.get("purchase_order_number")
    return (
        (say("credit_note_number"), str(note["number"])),
        (say("number"), str(note["invoice_number"])),
        *(((say("purchase_order"), str(order)),) if order else ()),
        (say("issued"), setting.formats.day(note["issuing_date"])),
    )


def _blocks(note: Wire, setting: Setting) -> tuple[Block, ...]:
    """One block for each subscription, under its name when there are several."""
    items = sorted(note.get("items") or (), key=lambda item: order_of(item["fee"]))
    grouped: dict[str, list[Wire]] = {}
    for item in items:
        grouped.setdefault(item["fee"].get("external_subscription_id") or "", []).append(item)
    titled = len(grouped) > 1
    return tuple(
        Block(name if titled else "", tuple(_row(item, setting) for item in own)) for name, own in grouped.items()
    )


def _row(item: Wire, setting: Setting) -> Row:
    fee, formats = item["fee"], setting.formats
    name = line_name(fee, {}, setting)
    if fee["item"]["type"] == "credit":
        kept = [setting.words.say("prepaid_credits"), fee["item"].get("name") if name != "credit" else ""]
        name = " - ".join(part for part in kept if part)
    return Row("line", name, (formats.percent(number(fee.get("taxes_rate"))), formats.money(item["amount_cents"])))


def _totals(note: Wire, setting: Setting) -> tuple[Total, ...]:
    say, formats = setting.words.say, setting.formats
    rows = []
    if coupons := note["coupons_adjustment_amount_cents"]:
        rows.append(Total(say("coupons"), formats.deduction(coupons)))
    rows.append(Total(say("subtotal_excluding"), formats.money(note["sub_total_excluding_taxes_amount_cents"])))
    taxes = sorted(note.get("applied_taxes") or (), key=lambda tax: -number(tax["tax_rate"]))
    rows += [tax_total(tax, tax["base_amount_cents"], setting) for tax in taxes]
    for label, key in (("offset_row", "offset"), ("credited_row", "credit"), ("refunded_row", "refund")):
        if cents := note[f"{key}_amount_cents"]:
            rows.append(Total(say(label), formats.money(cents)))
    return (*rows, Total(say("total"), formats.money(note["total_amount_cents"]), strong=True))
