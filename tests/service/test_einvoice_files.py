"""E-invoices as files: valid against the official schemas and rules, and with the invoice's amounts to the cent."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader

from tallystick.providers.einvoice import InvalidXml, embed, invoice_files
from tallystick.providers.pdf import render_invoice
from tests.support.einvoices import CII_RULES, UBL_RULES, broken_rules, text_at, texts
from tests.support.wire_invoices import CUSTOMER, ENTITY, wire_fee, wire_invoice, wire_tax

SELLER = ENTITY | {"code": "northwind", "phone": "+33 4 00 00 00 00"}
BUYER = CUSTOMER | {"external_id": "acme-7"}
PERIOD = {"charges_from_datetime": "2023-12-31T23:00:00Z", "charges_to_datetime": "2024-01-31T22:59:59Z"}


def fee(kind: str, name: str, cents: int, rate: float = 20.0, coupons: str = "0.0", **own: Any) -> dict[str, Any]:
    """A fee with its share of coupons and the tax on the rest."""
    tax = round((cents - float(coupons)) * rate / 100) / 100
    usual = {"precise_coupons_amount_cents": coupons, "taxes_precise_amount": str(tax), "applied_taxes": []}
    return wire_fee(kind, name, "1.0", str(cents / 100), cents, taxes_rate=rate, **usual, **own)


def invoice(fees: list[dict[str, Any]], taxes_cents: int, *, coupons: int = 0, **own: Any) -> dict[str, Any]:
    """An invoice whose totals follow from these amounts."""
    total = sum(one["amount_cents"] for one in fees)
    prepaid, notes = own.get("prepaid_credit_amount_cents", 0), own.get("credit_notes_amount_cents", 0)
    sums = {
        "lago_id": "01890000-0000-7000-8000-000000000001",
        "fees_amount_cents": total,
        "coupons_amount_cents": coupons,
        "taxes_amount_cents": taxes_cents,
        "sub_total_excluding_taxes_amount_cents": total - coupons,
        "sub_total_including_taxes_amount_cents": total - coupons + taxes_cents,
        "total_amount_cents": total - coupons + taxes_cents - prepaid - notes,
        "customer": BUYER,
        "billing_periods": [PERIOD],
        "created_at": "2024-02-14T09:00:00Z",
    }
    return wire_invoice(fees, **{**sums, **own})


def worked_example(**own: Any) -> dict[str, Any]:
    """The invoice of invoicing.md §3.3."""
    fees = [
        fee("subscription", "Plan", 10000, 10.0, "500.0"),
        fee("charge", "X", 5000, 0.0, "250.0"),
        fee("charge", "Y", 3000, 20.0, "150.0"),
        fee("charge", "Y more", 2000, 20.0, "100.0"),
    ]
    more = {"credit_notes_amount_cents": 1000, "prepaid_credit_amount_cents": 5000}
    return invoice(fees, 1900, coupons=1000, **{**more, **own})


CREDITS = fee("credit", "credit", 5000, 0.0)
REVERSED = [wire_tax("Reverse charge", "lago_eu_reverse_charge", 0.0, 0, 100)]
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "worked example": (worked_example(), SELLER),
    "purchase order": (worked_example(purchase_order_number="PO 7"), SELLER),
    "german seller": (worked_example(), SELLER | {"country": "DE", "tax_identification_number": "DE811223344"}),
    "no tax": (invoice([fee("charge", "Calls", 900, 0.0)], 0), SELLER),
    "reverse charge": (invoice([fee("charge", "Calls", 900, 0.0) | {"applied_taxes": REVERSED}], 0), SELLER),
    "credits": (invoice([CREDITS], 0, invoice_type="credit", subscriptions=[], billing_periods=[]), SELLER),
    "one-off": (invoice([fee("add_on", "Setup", 2500)], 500, invoice_type="one_off", billing_periods=[]), SELLER),
    "all prepaid": (invoice([fee("charge", "Calls", 1000)], 200, prepaid_credit_amount_cents=1200), SELLER),
    "nothing": (invoice([fee("subscription", "Plan", 0, 0.0)], 0), SELLER),
    "self-billed": (invoice([fee("charge", "Calls", 1000)], 200, self_billed=True), SELLER),
    "odd characters": (invoice([fee("charge", 'A & B <"C">\u0001 株式会社', 1000)], 200), SELLER),
    "fractions": (
        invoice([fee("charge", "Calls", 1) | {"precise_unit_amount": "0.000012345", "units": "81004.5"}], 0),
        SELLER,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_files_follow_the_official_schemas_and_rules(name: str) -> None:
    made, seller = CASES[name]
    ubl, cii = invoice_files(made, seller, "fr")
    assert broken_rules(ubl, UBL_RULES) == []
    assert broken_rules(cii, CII_RULES) == []


def test_the_rules_would_tell() -> None:
    ubl, cii = invoice_files(worked_example(), SELLER, "en")
    wrong = ubl.replace(b">149.00<", b">148.00<")
    assert any("BR-CO-16" in text for text in broken_rules(wrong, UBL_RULES))
    wrong = cii.replace(b"<ram:DuePayableAmount>149.00<", b"<ram:DuePayableAmount>148.00<")
    assert broken_rules(wrong, CII_RULES)


def test_amounts_of_the_worked_example() -> None:
    ubl, cii = invoice_files(worked_example(), SELLER, "en")
    total = "LegalMonetaryTotal"
    assert {
        name: text_at(ubl, total, name)
        for name in (
            "LineExtensionAmount",
            "TaxExclusiveAmount",
            "TaxInclusiveAmount",
            "AllowanceTotalAmount",
            "PrepaidAmount",
            "PayableAmount",
        )
    } == {
        "LineExtensionAmount": "200.00",
        "TaxExclusiveAmount": "190.00",
        "TaxInclusiveAmount": "209.00",
        "AllowanceTotalAmount": "10.00",
        "PrepaidAmount": "60.00",
        "PayableAmount": "149.00",
    }
    assert texts(ubl, "TaxableAmount") == ["47.50", "95.00", "47.50"]
    assert texts(ubl, "TaxAmount") == ["19.00", "9.50", "9.50", "0.00"]
    assert texts(ubl, "AllowanceChargeReason") == [
        "Discount 20.00% portion",
        "Discount 10.00% portion",
        "Discount 0.00% portion",
    ]
    assert texts(ubl, "Description") == []
    assert texts(cii, "LineTotalAmount") == ["20.00", "30.00", "50.00", "100.00", "200.00"]
    assert texts(cii, "CalculatedAmount") == ["9.50", "9.50", "0.00"]
    assert text_at(cii, "DuePayableAmount") == "149.00"


@pytest.mark.parametrize(
    ("case", "code", "categories"),
    [
        ("worked example", "380", {"S", "Z"}),
        ("credits", "386", {"O"}),
        ("self-billed", "389", {"S"}),
        ("reverse charge", "380", {"AE"}),
    ],
)
def test_types_and_categories(case: str, code: str, categories: set[str]) -> None:
    ubl, cii = invoice_files(*CASES[case], "en")
    assert text_at(ubl, "InvoiceTypeCode") == code
    assert text_at(cii, "ExchangedDocument", "TypeCode") == code
    assert set(texts(cii, "CategoryCode")) == categories


def test_dates_parties_and_terms() -> None:
    ubl, cii = invoice_files(*CASES["german seller"], "de")
    assert text_at(ubl, "IssueDate") == "2024-02-14"
    assert text_at(ubl, "ActualDeliveryDate") == "2024-01-01"  # in the customer's time zone
    assert text_at(cii, "DueDateDateTime", "DateTimeString") == "20240315"
    assert text_at(ubl, "CustomizationID").endswith("xrechnung_3.0")
    assert text_at(ubl, "BuyerReference") == text_at(cii, "BuyerReference") == "acme-7"
    assert text_at(cii, "SellerTradeParty", "Name") == "Northwind Analytics SAS"
    assert text_at(cii, "SpecifiedTradePaymentTerms", "Description").startswith("Zahlungsziel")
    assert texts(cii, "TypeCode")[:2] == ["380", "VAT"]
    assert text_at(cii, "SpecifiedTradeSettlementPaymentMeans", "TypeCode") == "1"
    (said,) = texts(cii, "Information")
    assert [part.split(": ")[1] for part in said.split("; ")] == ["€149,00", "€50,00", "€10,00"]
    prepaid = invoice_files(*CASES["all prepaid"], "en")[1]
    assert text_at(prepaid, "SpecifiedTradeSettlementPaymentMeans", "TypeCode") == "57"
    credit, _ = invoice_files(*CASES["credits"], "en")
    assert texts(credit, "CompanyID") == []
    swapped, _ = invoice_files(*CASES["self-billed"], "en")
    assert text_at(swapped, "AccountingSupplierParty", "Party", "PartyName", "Name") == "Acme Robotics GmbH"


def test_what_the_schema_refuses_is_no_file() -> None:
    with pytest.raises(InvalidXml, match="InvoiceLine"):
        invoice_files(invoice([], 0), SELLER, "en")


@pytest.mark.parametrize(("country", "relation"), [("FR", "/Data"), ("DE", "/Alternative")])
def test_the_pdf_carries_the_invoice(country: str, relation: str) -> None:
    seller = SELLER | {"country": country}
    made = worked_example()
    _, cii = invoice_files(made, seller, "fr")
    pdf = embed(render_invoice(made, seller, "fr", archival=True), cii, made["number"], seller, "fr")
    assert get_facturx_xml_from_pdf(pdf, check_xsd=True) == ("factur-x.xml", cii)
    catalog: Any = PdfReader(BytesIO(pdf)).trailer["/Root"]
    assert catalog["/AF"][0].get_object()["/AFRelationship"] == relation
    described = catalog["/Metadata"].get_object().get_data().decode()
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in described
    assert "<pdfaid:part>3</pdfaid:part>" in described
    assert PdfReader(BytesIO(pdf)).pages[0].extract_text().count("NOR-001-042") == 2
