"""UBL 2.1 Invoice and CreditNote in the order of their schemas (integrations.md §11.3, §11.4)."""

from __future__ import annotations

from typing import Any

from tallystick.core.einvoice import EXEMPTIONS, Category, EInvoice, Group, Line, Means, Party, TypeCode
from tallystick.providers.einvoice.elements import Writer, trimmed

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
EN16931 = "urn:cen.eu:en16931:2017"
XRECHNUNG = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PEPPOL_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
PIECE = "C62"


def document(content: EInvoice) -> Any:
    """The XML of an e-invoice; German sellers follow XRechnung."""
    credit_note = content.type_code is TypeCode.CREDIT_NOTE
    name = "CreditNote" if credit_note else "Invoice"
    namespaces = {
        None: f"{_OASIS}{name}-2",
        "cac": f"{_OASIS}CommonAggregateComponents-2",
        "cbc": f"{_OASIS}CommonBasicComponents-2",
    }
    write = Writer(namespaces, content.currency)
    root = write.root(name)
    _header(write, root, content, name)
    _party(write, write.add(root, "cac:AccountingSupplierParty/cac:Party"), content.seller)
    _party(write, write.add(root, "cac:AccountingCustomerParty/cac:Party"), content.buyer)
    write.add(root, "cac:Delivery/cbc:ActualDeliveryDate", content.delivered_on.isoformat())
    write.add(root, "cac:PaymentMeans/cbc:PaymentMeansCode", Means.STANDARD.value)
    write.maybe(root, "cac:PaymentTerms/cbc:Note", content.terms)
    for group in content.groups:
        _allowance(write, root, group)
    _taxes(write, root, content)
    _totals(write, root, content)
    for place, line in enumerate(content.lines, 1):
        _line(write, root, place, line, "Credit" if credit_note else "Invoice")
    return root


def _header(write: Writer, root: Any, content: EInvoice, name: str) -> None:
    german = content.seller.country == "DE"
    write.add(root, "cbc:UBLVersionID", "2.1")
    write.add(root, "cbc:CustomizationID", XRECHNUNG if german else EN16931)
    write.maybe(root, "cbc:ProfileID", PEPPOL_PROFILE if german else "")
    write.add(root, "cbc:ID", content.number)
    write.add(root, "cbc:IssueDate", content.issued_on.isoformat())
    if name == "Invoice" and content.due_on is not None:
        write.add(root, "cbc:DueDate", content.due_on.isoformat())
    write.add(root, f"cbc:{name}TypeCode", content.type_code.value)
    if name == "CreditNote":
        for note in content.notes:
            write.add(root, "cbc:Note", note)
    write.add(root, "cbc:DocumentCurrencyCode", content.currency)
    write.maybe(root, "cbc:BuyerReference", content.buyer_reference)
    write.maybe(root, "cac:OrderReference/cbc:ID", content.purchase_order)
    if content.refers_to is not None:
        number, day = content.refers_to
        reference = write.add(root, "cac:BillingReference/cac:InvoiceDocumentReference")
        write.add(reference, "cbc:ID", number)
        write.add(reference, "cbc:IssueDate", day.isoformat())


def _party(write: Writer, element: Any, party: Party) -> None:
    write.maybe(element, "cbc:EndpointID", party.email, schemeID="EM")
    write.maybe(element, "cac:PartyIdentification/cbc:ID", party.code)
    write.add(element, "cac:PartyName/cbc:Name", party.name)
    address = {
        "cbc:StreetName": party.street,
        "cbc:AdditionalStreetName": party.more_street,
        "cbc:CityName": party.city,
        "cbc:PostalZone": party.zipcode,
        "cbc:CountrySubentity": party.state,
        "cac:Country/cbc:IdentificationCode": party.country,
    }
    write.group(element, "cac:PostalAddress", address)
    if party.tax_number:
        scheme = write.add(element, "cac:PartyTaxScheme")
        write.add(scheme, "cbc:CompanyID", party.tax_number)
        write.add(scheme, "cac:TaxScheme/cbc:ID", "VAT")
    legal = write.add(element, "cac:PartyLegalEntity")
    write.add(legal, "cbc:RegistrationName", party.legal_name)
    write.maybe(legal, "cbc:CompanyID", party.tax_number)
    contact = write.add(element, "cac:Contact")
    write.add(contact, "cbc:Name", party.name)
    write.maybe(contact, "cbc:Telephone", party.phone)
    write.maybe(contact, "cbc:ElectronicMail", party.email)


def _category(write: Writer, parent: Any, name: str, group: Group | Line) -> Any:
    """A tax category; what is outside the scope of VAT has no rate (rule BR-O-05)."""
    element = write.add(parent, name)
    write.add(element, "cbc:ID", group.category.value)
    if group.category is not Category.OUT_OF_SCOPE:
        write.add(element, "cbc:Percent", trimmed(group.rate))
    return element


def _scheme(write: Writer, category: Any) -> None:
    write.add(category, "cac:TaxScheme/cbc:ID", "VAT")


def _allowance(write: Writer, root: Any, group: Group) -> None:
    if not group.allowance_cents:
        return
    element = write.add(root, "cac:AllowanceCharge")
    write.add(element, "cbc:ChargeIndicator", "false")
    write.add(element, "cbc:AllowanceChargeReason", reason_of(group))
    write.add(element, "cbc:Amount", write.money(group.allowance_cents), currencyID=write.currency)
    _scheme(write, _category(write, element, "cac:TaxCategory", group))


def reason_of(group: Group) -> str:
    """Why less is asked for at this rate (integrations.md §11.2)."""
    return f"Discount {group.rate:.2f}% portion"


def _taxes(write: Writer, root: Any, content: EInvoice) -> None:
    taxes = write.add(root, "cac:TaxTotal")
    write.add(taxes, "cbc:TaxAmount", write.money(content.totals.tax_cents), currencyID=write.currency)
    for group in content.groups:
        element = write.add(taxes, "cac:TaxSubtotal")
        write.add(element, "cbc:TaxableAmount", write.money(group.base_cents), currencyID=write.currency)
        write.add(element, "cbc:TaxAmount", write.money(group.tax_cents), currencyID=write.currency)
        category = _category(write, element, "cac:TaxCategory", group)
        if group.category in EXEMPTIONS:
            code, text = EXEMPTIONS[group.category]
            write.add(category, "cbc:TaxExemptionReasonCode", code)
            write.add(category, "cbc:TaxExemptionReason", text)
        _scheme(write, category)


def _totals(write: Writer, root: Any, content: EInvoice) -> None:
    totals = content.totals
    element = write.add(root, "cac:LegalMonetaryTotal")
    for name, cents in (
        ("LineExtensionAmount", totals.lines_cents),
        ("TaxExclusiveAmount", totals.exclusive_cents),
        ("TaxInclusiveAmount", totals.inclusive_cents),
        ("AllowanceTotalAmount", totals.allowance_cents),
        ("ChargeTotalAmount", 0),
        ("PrepaidAmount", totals.prepaid_cents),
        *((("PayableRoundingAmount", totals.rounding_cents),) if totals.rounding_cents else ()),
        ("PayableAmount", totals.payable_cents),
    ):
        write.add(element, f"cbc:{name}", write.money(cents), currencyID=write.currency)


def _line(write: Writer, root: Any, place: int, line: Line, kind: str) -> None:
    element = write.add(root, f"cac:{kind}{'Note' if kind == 'Credit' else ''}Line")
    write.add(element, "cbc:ID", str(place))
    quantity = f"cbc:{'Credited' if kind == 'Credit' else 'Invoiced'}Quantity"
    write.add(element, quantity, trimmed(line.units), unitCode=PIECE)
    write.add(element, "cbc:LineExtensionAmount", write.money(line.amount_cents), currencyID=write.currency)
    item = write.add(element, "cac:Item")
    write.add(item, "cbc:Name", line.name or line.description)
    _scheme(write, _category(write, item, "cac:ClassifiedTaxCategory", line))
    if line.description:
        more = write.add(item, "cac:AdditionalItemProperty")
        write.add(more, "cbc:Name", "Description")
        write.add(more, "cbc:Value", line.description)
    write.add(element, "cac:Price/cbc:PriceAmount", trimmed(line.unit_price), currencyID=write.currency)
