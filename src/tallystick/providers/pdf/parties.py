"""Who writes to whom: title, facts, metadata, seller and buyer blocks (invoicing.md §21.1, 1-3).

Amounts and lines are not here.
"""

from __future__ import annotations

from tallystick.providers.pdf.model import Party
from tallystick.providers.pdf.setting import Setting, Wire

TAX_INVOICE_COUNTRIES = frozenset({"AU", "AE", "NZ", "ID", "SG"})

# Lines after the street, by country; the default is the continental "zipcode city" with the state below.
_TOWN_LINES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("US", "CA", "AU", "PR"), ("{city}, {state} {zipcode}",)),
    **dict.fromkeys(("GB", "IE"), ("{city}", "{state}", "{zipcode}")),
    **dict.fromkeys(("BR", "MX", "IN", "ID", "TH"), ("{city} - {state}", "{zipcode}")),
    **dict.fromkeys(("JP", "KR", "CN", "TW"), ("{zipcode} {state} {city}",)),
    "SG": ("{city} {zipcode}",),
    "NZ": ("{state}", "{city} {zipcode}"),
}
_DEFAULT_TOWN_LINES = ("{zipcode} {city}", "{state}")


def title_of(invoice: Wire, entity: Wire, setting: Setting) -> str:
    """Title of the document by type, seller's country and self-billing (invoicing.md §21.1, 1)."""
    tax = entity.get("country") in TAX_INVOICE_COUNTRIES
    kind = invoice.get("invoice_type")
    if invoice.get("self_billed"):
        label = "title_self"
    elif kind == "credit":
        label = "title_advance"
    elif kind == "advance_charges":
        label = "title_paid_tax" if tax else "title_paid"
    else:
        label = "title_tax" if tax else "title_invoice"
    return setting.words.say(label)


def facts_of(invoice: Wire, setting: Setting) -> tuple[tuple[str, str], ...]:
    """Number, purchase order, issue date and payment term, each with its label."""
    say, formats = setting.words.say, setting.formats
    facts = [(say("number"), str(invoice["number"]))]
    if invoice.get("purchase_order_number"):
        facts.append((say("purchase_order"), str(invoice["purchase_order_number"])))
    facts.append((say("issued"), formats.day(invoice["issuing_date"])))
    if (days := invoice.get("net_payment_term")) is not None:
        facts.append((say("term"), say("term_day") if days == 1 else say("term_days", count=days)))
    return tuple(facts)


def metadata_of(customer: Wire) -> tuple[tuple[str, str], ...]:
    """Key and value of the customer's metadata flagged for display."""
    shown = [item for item in customer.get("metadata") or () if item.get("display_in_invoice")]
    return tuple((str(item["key"]), str(item["value"])) for item in shown)


def parties_of(invoice: Wire, entity: Wire, setting: Setting, buyer: str = "buyer") -> tuple[Party, Party]:
    """Seller, and buyer under the label `buyer`; on self-billed documents the partner is the seller."""
    customer = invoice.get("customer") or {}
    own = (entity.get("legal_name") or entity.get("name") or "", _address(entity, setting, _DEFAULT_TOWN_LINES))
    towns = _TOWN_LINES.get(customer.get("country") or "", _DEFAULT_TOWN_LINES)
    other = (display_name(customer), _address(customer, setting, towns))
    seller, receiver = (other, own) if invoice.get("self_billed") else (own, other)
    say = setting.words.say
    return Party(say("seller"), *seller), Party(say(buyer), *receiver)


def display_name(customer: Wire) -> str:
    """Legal name or name, and " - firstname lastname" where given."""
    company = customer.get("legal_name") or customer.get("name") or ""
    person = " ".join(part for part in (customer.get("firstname"), customer.get("lastname")) if part)
    return " - ".join(part for part in (company, person) if part)


def _address(party: Wire, setting: Setting, towns: tuple[str, ...]) -> tuple[str, ...]:
    places = {key: party.get(key) or "" for key in ("city", "state", "zipcode")}
    tax_number = party.get("tax_identification_number")
    lines = (
        party.get("legal_number"),
        party.get("address_line1"),
        party.get("address_line2"),
        *(" ".join(line.format(**places).split()).strip(" ,-") for line in towns),
        setting.formats.country(party.get("country")),
        party.get("email"),
        setting.words.say("tax_id", number=tax_number) if tax_number else None,
    )
    return tuple(line for line in lines if line)
