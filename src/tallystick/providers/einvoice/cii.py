"""Cross Industry Invoice (UN/CEFACT) in the Factur-X profile EN 16931, in the order of its schema.

What the elements hold: integrations.md §11.3.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from tallystick.core.einvoice import EXEMPTIONS, Category, EInvoice, Group, Line, Party
from tallystick.providers.einvoice.elements import Writer, trimmed
from tallystick.providers.einvoice.ubl import EN16931, PIECE, reason_of

_UNECE = "urn:un:unece:uncefact:data:standard:"
_NAMESPACES: dict[str | None, str] = {
    "rsm": f"{_UNECE}CrossIndustryInvoice:100",
    "ram": f"{_UNECE}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UNECE}UnqualifiedDataType:100",
    "qdt": f"{_UNECE}QualifiedDataType:100",
}


def document(content: EInvoice) -> Any:
    """The XML of an e-invoice."""
    write = Writer(_NAMESPACES, content.currency)
    root = write.root("rsm:CrossIndustryInvoice")
    context = "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
    write.add(root, context, EN16931)
    header = write.add(root, "rsm:ExchangedDocument")
    write.add(header, "ram:ID", content.number)
    write.add(header, "ram:TypeCode", content.type_code.value)
    _day(write, header, "ram:IssueDateTime", content.issued_on)
    for note in content.notes:
        write.add(header, "ram:IncludedNote/ram:Content", note)
    trade = write.add(root, "rsm:SupplyChainTradeTransaction")
    for place, line in enumerate(content.lines, 1):
        _line(write, trade, place, line)
    _agreement(write, trade, content)
    delivery = write.add(trade, "ram:ApplicableHeaderTradeDelivery")
    _day(write, delivery, "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime", content.delivered_on)
    _settlement(write, trade, content)
    return root


def _day(write: Writer, parent: Any, path: str, day: dt.date, kind: str = "udt") -> None:
    write.add(parent, f"{path}/{kind}:DateTimeString", day.strftime("%Y%m%d"), format="102")


def _line(write: Writer, trade: Any, place: int, line: Line) -> None:
    element = write.add(trade, "ram:IncludedSupplyChainTradeLineItem")
    write.add(element, "ram:AssociatedDocumentLineDocument/ram:LineID", str(place))
    product = write.add(element, "ram:SpecifiedTradeProduct")
    write.add(product, "ram:Name", line.name or line.description)
    write.maybe(product, "ram:Description", line.description)
    price = "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount"
    write.add(element, price, trimmed(line.unit_price))
    write.add(element, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", trimmed(line.units), unitCode=PIECE)
    settlement = write.add(element, "ram:SpecifiedLineTradeSettlement")
    tax = write.add(settlement, "ram:ApplicableTradeTax")
    write.add(tax, "ram:TypeCode", "VAT")
    _category(write, tax, line)
    total = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
    write.add(settlement, total, write.money(line.amount_cents))


def _category(write: Writer, tax: Any, group: Group | Line, *, reason_code: str = "") -> None:
    """Category and rate; what is outside the scope of VAT has no rate (rule BR-O-05)."""
    write.add(tax, "ram:CategoryCode", group.category.value)
    write.maybe(tax, "ram:ExemptionReasonCode", reason_code)
    if group.category is not Category.OUT_OF_SCOPE:
        write.add(tax, "ram:RateApplicablePercent", trimmed(group.rate))


def _agreement(write: Writer, trade: Any, content: EInvoice) -> None:
    element = write.add(trade, "ram:ApplicableHeaderTradeAgreement")
    write.maybe(element, "ram:BuyerReference", content.buyer_reference)
    _party(write, write.add(element, "ram:SellerTradeParty"), content.seller)
    _party(write, write.add(element, "ram:BuyerTradeParty"), content.buyer)
    write.maybe(element, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", content.purchase_order)


def _party(write: Writer, element: Any, party: Party) -> None:
    write.maybe(element, "ram:ID", party.code)
    write.add(element, "ram:Name", party.legal_name)
    address = {
        "ram:PostcodeCode": party.zipcode,
        "ram:LineOne": party.street,
        "ram:LineTwo": party.more_street,
        "ram:CityName": party.city,
        "ram:CountryID": party.country,
        "ram:CountrySubDivisionName": party.state,
    }
    write.group(element, "ram:PostalTradeAddress", address)
    write.maybe(element, "ram:URIUniversalCommunication/ram:URIID", party.email, schemeID="EM")
    write.maybe(element, "ram:SpecifiedTaxRegistration/ram:ID", party.tax_number, schemeID="VA")


def _settlement(write: Writer, trade: Any, content: EInvoice) -> None:
    element = write.add(trade, "ram:ApplicableHeaderTradeSettlement")
    write.add(element, "ram:InvoiceCurrencyCode", content.currency)
    if content.payment is not None:
        means = write.add(element, "ram:SpecifiedTradeSettlementPaymentMeans")
        write.add(means, "ram:TypeCode", content.payment.means.value)
        write.add(means, "ram:Information", content.payment.text)
    for group in content.groups:
        _tax(write, element, group)
    for group in content.groups:
        _allowance(write, element, group)
    terms = write.add(element, "ram:SpecifiedTradePaymentTerms")
    write.maybe(terms, "ram:Description", content.terms)
    if content.due_on is not None:
        _day(write, terms, "ram:DueDateDateTime", content.due_on)
    _totals(write, element, content)
    if content.refers_to is not None:
        number, day = content.refers_to
        reference = write.add(element, "ram:InvoiceReferencedDocument")
        write.add(reference, "ram:IssuerAssignedID", number)
        _day(write, reference, "ram:FormattedIssueDateTime", day, "qdt")


def _tax(write: Writer, settlement: Any, group: Group) -> None:
    code, text = EXEMPTIONS.get(group.category, ("", ""))
    tax = write.add(settlement, "ram:ApplicableTradeTax")
    write.add(tax, "ram:CalculatedAmount", write.money(group.tax_cents))
    write.add(tax, "ram:TypeCode", "VAT")
    write.maybe(tax, "ram:ExemptionReason", text)
    write.add(tax, "ram:BasisAmount", write.money(group.base_cents))
    _category(write, tax, group, reason_code=code)


def _allowance(write: Writer, settlement: Any, group: Group) -> None:
    if not group.allowance_cents:
        return
    element = write.add(settlement, "ram:SpecifiedTradeAllowanceCharge")
    write.add(element, "ram:ChargeIndicator/udt:Indicator", "false")
    write.add(element, "ram:ActualAmount", write.money(group.allowance_cents))
    write.add(element, "ram:Reason", reason_of(group))
    tax = write.add(element, "ram:CategoryTradeTax")
    write.add(tax, "ram:TypeCode", "VAT")
    _category(write, tax, group)


def _totals(write: Writer, settlement: Any, content: EInvoice) -> None:
    totals = content.totals
    element = write.add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    write.add(element, "ram:LineTotalAmount", write.money(totals.lines_cents))
    write.add(element, "ram:ChargeTotalAmount", write.money(0))
    write.add(element, "ram:AllowanceTotalAmount", write.money(totals.allowance_cents))
    write.add(element, "ram:TaxBasisTotalAmount", write.money(totals.exclusive_cents))
    write.add(element, "ram:TaxTotalAmount", write.money(totals.tax_cents), currencyID=write.currency)
    if totals.rounding_cents:
        write.add(element, "ram:RoundingAmount", write.money(totals.rounding_cents))
    write.add(element, "ram:GrandTotalAmount", write.money(totals.inclusive_cents))
    write.add(element, "ram:TotalPrepaidAmount", write.money(totals.prepaid_cents))
    write.add(element, "ram:DuePayableAmount", write.money(totals.payable_cents))
