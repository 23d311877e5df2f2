"""From the wire objects of an invoice to the document model: pure, no drawing, no clock, no network.

The drawing is `templates/invoice.typ`, run by `document.py`.
"""

from __future__ import annotations

from tallystick.providers.pdf.model import Document
from tallystick.providers.pdf.parties import facts_of, metadata_of, parties_of, title_of
from tallystick.providers.pdf.sections import sections_of
from tallystick.providers.pdf.setting import Setting, Wire, setting_of
from tallystick.providers.pdf.totals import footer_of, mentions_of, passages_of, totals_of


def lay_out_invoice(invoice: Wire, billing_entity: Wire, locale: str, *, marked: bool = True) -> Document:
    """Texts of an invoice from top to bottom, invoicing.md §21.1.

    `invoice` is the REST object with customer, subscriptions, fees, credits and applied taxes; a subscription may
    carry its `plan` with `charges` (§4.6), which adds intervals, prorations and minimums. `marked` keeps the
    "Powered by" line. Raises `UnknownLocale`.
    """
    setting = setting_of(invoice, locale)
    sections, annexes = sections_of(invoice, setting)
    language, _, region = locale.partition("-")
    return Document(
        language=language,
        region=region,
        title=title_of(invoice, billing_entity, setting),
        number=str(invoice["number"]),
        facts=facts_of(invoice, setting),
        metadata=metadata_of(invoice.get("customer") or {}),
        parties=parties_of(invoice, billing_entity, setting),
        headline=setting.formats.money(invoice["total_amount_cents"]),
        headline_note=_headline_note(invoice, setting),
        sections=sections,
        totals=totals_of(invoice, setting),
        mentions=mentions_of(invoice, billing_entity, setting),
        passages=passages_of(invoice),
        footer=footer_of(invoice, billing_entity, setting),
        powered=setting.words.say("powered") if marked else "",
        page=setting.words.say("page", page="{page}", count="{count}"),
        annexes=annexes,
    )


def _headline_note(invoice: Wire, setting: Setting) -> str:
    if invoice["invoice_type"] == "advance_charges":
        return setting.words.say("already_paid")
    due = invoice.get("payment_due_date")
    return setting.words.say("due", date=setting.formats.day(due)) if due else ""
