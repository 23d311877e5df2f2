"""The totals block and the sentences under it, in the order of invoicing.md §21.1, 6-7.

Nothing is added up here: every amount is the invoice's own.
"""

from __future__ import annotations

from tallystick.providers.pdf.model import Passage, Total
from tallystick.providers.pdf.setting import Setting, Wire, number

EXEMPT = "lago_eu_tax_exempt"
REVERSE_CHARGE = "lago_eu_reverse_charge"

# Tax rows that speak for the whole invoice and show no rate and no base (credits.md §2.6, §2.7).
WHOLE_INVOICE_CODES = frozenset(
    {
        EXEMPT,
        REVERSE_CHARGE,
        "not_collecting",
        "juris_not_taxed",
        "reverse_charge",
        "customer_exempt",
        "transaction_exempt",
        "juris_has_no_tax",
        "unknown_taxation",
    }
)


def totals_of(invoice: Wire, setting: Setting) -> tuple[Total, ...]:
    """Rows from usage already billed down to the total; a credit invoice has only the total."""
    total = Total(setting.words.say("total"), setting.formats.money(invoice["total_amount_cents"]), strong=True)
    if invoice["invoice_type"] == "credit":
        return (total,)
    return (*_before_taxes(invoice, setting), *_taxes(invoice, setting), *_after_taxes(invoice, setting), total)


def _before_taxes(invoice: Wire, setting: Setting) -> tuple[Total, ...]:
    say, formats = setting.words.say, setting.formats
    rows = []
    if billed := invoice.get("progressive_billing_credit_amount_cents"):
        rows.append(Total(say("already_billed"), formats.deduction(billed)))
    for credit in invoice.get("credits") or ():
        if credit["item"]["type"] == "coupon":
            rows.append(_coupon(credit, setting))
    without = formats.money(invoice["sub_total_excluding_taxes_amount_cents"])
    return (*rows, Total(say("subtotal_excluding"), without))


def _coupon(credit: Wire, setting: Setting) -> Total:
    item, formats = credit["item"], setting.formats
    rate = item.get("percentage_rate")
    value = formats.percent(number(rate)) if rate else formats.money(credit["amount_cents"])
    label = setting.words.say("coupon", name=item.get("name") or item.get("code") or "", value=value)
    return Total(label, formats.deduction(credit["amount_cents"]))


def _taxes(invoice: Wire, setting: Setting) -> tuple[Total, ...]:
    taxes = sorted(invoice.get("applied_taxes") or (), key=lambda tax: -number(tax["tax_rate"]))
    if taxes:
        return tuple(tax_total(tax, tax["fees_amount_cents"], setting) for tax in taxes)
    label = setting.words.say("no_tax", rate=setting.formats.percent(number(0)))
    return (Total(label, setting.formats.money(0)),)


def tax_total(tax: Wire, base_cents: int, setting: Setting) -> Total:
    """The row of a tax with its base."""
    if tax["tax_code"] in WHOLE_INVOICE_CODES:
        return Total(tax["tax_name"], "")
    formats = setting.formats
    rate, base = formats.percent(number(tax["tax_rate"])), formats.money(base_cents)
    label = setting.words.say("tax_line", name=tax["tax_name"], rate=rate, base=base)
    return Total(label, formats.money(tax["amount_cents"]))


def _after_taxes(invoice: Wire, setting: Setting) -> tuple[Total, ...]:
    say, formats = setting.words.say, setting.formats
    granted = invoice.get("prepaid_granted_credit_amount_cents")
    purchased = invoice.get("prepaid_purchased_credit_amount_cents")
    whole = invoice.get("prepaid_credit_amount_cents") if granted is None and purchased is None else purchased
    deductions = (
        ("credit_notes", invoice.get("credit_notes_amount_cents")),
        ("free_credits", granted),
        ("prepaid_credits", whole),
    )
    including = formats.money(invoice["sub_total_including_taxes_amount_cents"])
    rows = [Total(say(label), formats.deduction(cents)) for label, cents in deductions if cents]
    return (Total(say("subtotal_including"), including), *rows)


def mentions_of(invoice: Wire, entity: Wire, setting: Setting) -> tuple[str, ...]:
    """Tax exemption under EU management, and the usage threshold that caused a progressive invoice."""
    say = setting.words.say
    mentions = []
    codes = {tax["tax_code"] for tax in invoice.get("applied_taxes") or ()}
    if entity.get("eu_tax_management") and EXEMPT in codes:
        mentions.append(say("exempt_fr" if entity.get("country") == "FR" else "exempt"))
    if entity.get("eu_tax_management") and REVERSE_CHARGE in codes:
        mentions.append(say("reverse_charge"))
    if passed := invoice.get("applied_usage_thresholds"):
        last = max(passed, key=lambda entry: entry["usage_threshold"]["amount_cents"])
        usage = setting.formats.money(last["lifetime_usage_amount_cents"])
        threshold = setting.formats.money(last["usage_threshold"]["amount_cents"])
        mentions.append(say("threshold", usage=usage, threshold=threshold))
    return tuple(mentions)


def passages_of(invoice: Wire) -> tuple[Passage, ...]:
    """Custom sections of the invoice that have something to say."""
    sections = invoice.get("applied_invoice_custom_sections") or ()
    passages = (Passage(section.get("display_name") or "", section.get("details") or "") for section in sections)
    return tuple(passage for passage in passages if passage.title or passage.text)


def footer_of(invoice: Wire, entity: Wire, setting: Setting) -> str:
    """The seller's footer, or the fixed consent text of self-billing."""
    return setting.words.say("consent") if invoice.get("self_billed") else str(entity.get("invoice_footer") or "")
