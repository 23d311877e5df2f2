"""Layout of invoice documents: texts from wire objects, by the tables of invoicing.md §21 and §21.1."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.providers.pdf import UnknownLocale
from tallystick.providers.pdf.formats import STYLES
from tallystick.providers.pdf.layout import lay_out_invoice
from tallystick.providers.pdf.model import Block, Document, Row
from tallystick.providers.pdf.words import words_of
from tests.support.wire_invoices import CUSTOMER, ENTITY, wire_fee, wire_invoice, wire_tax

LOCALES = ["en", "fr", "de", "es", "it", "nb", "pt-BR", "sv", "zh-TW"]


def lay_out(fees: list[dict[str, Any]], entity: dict[str, Any] | None = None, **own: Any) -> Document:
    return lay_out_invoice(wire_invoice(fees, **own), entity or ENTITY, "en")


def blocks(document: Document) -> tuple[Block, ...]:
    return document.sections[0].blocks


def rows(document: Document) -> list[Row]:
    return [row for block in blocks(document) for row in block.rows]


def test_days_of_instants_are_those_of_the_customer_time_zone() -> None:
    assert blocks(lay_out([wire_fee("charge", "API", "1.0", "1.0", 100)]))[0].title == (
        "Fees from Jan 1, 2024 to Jan 31, 2024"
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_lays_out_a_whole_invoice(locale: str) -> None:
    document = lay_out_invoice(wire_invoice([wire_fee("charge", "API", "1.0", "1.0", 100)]), ENTITY, locale)
    assert document.number == "NOR-001-042"
    assert document.totals[-1].label == words_of(locale).say("total")
    assert set(LOCALES) == set(STYLES)


def test_other_locales_are_refused() -> None:
    with pytest.raises(UnknownLocale):
        lay_out_invoice(wire_invoice([]), ENTITY, "tlh")


@pytest.mark.parametrize(
    ("own", "country", "title"),
    [
        ({}, "FR", "Invoice"),
        ({}, "AU", "Tax invoice"),
        ({"invoice_type": "credit"}, "AU", "Advance invoice"),
        ({"invoice_type": "advance_charges"}, "FR", "Paid invoice"),
        ({"invoice_type": "advance_charges"}, "SG", "Paid tax invoice"),
        ({"self_billed": True}, "AU", "Self-billing invoice"),
    ],
)
def test_titles_follow_type_country_and_self_billing(own: dict[str, Any], country: str, title: str) -> None:
    assert lay_out([], ENTITY | {"country": country}, **own).title == title


def test_head_has_facts_displayed_metadata_and_both_parties() -> None:
    document = lay_out([], purchase_order_number="PO-1")
    assert document.facts == (
        ("Invoice number", "NOR-001-042"),
        ("Purchase order", "PO-1"),
        ("Issue date", "Feb 14, 2024"),
        ("Payment term", "30 days"),
    )
    assert document.metadata == (("Cost center", "R&D-204"),)
    seller, buyer = document.parties
    assert (seller.heading, seller.name) == ("From", "Northwind Analytics SAS")
    assert seller.lines == (
        "RCS 812 345 678",
        "12 rue des Tanneurs",
        "69002 Lyon",
        "France",
        "billing@northwind.example",
        "Tax ID: FR40812345678",
    )
    assert (buyer.heading, buyer.name) == ("Bill to", "Acme Robotics GmbH - Lena Vogel")
    assert document.headline_note == "Due Mar 15, 2024"


def test_self_billing_swaps_the_parties_and_replaces_the_footer() -> None:
    document = lay_out([], self_billed=True)
    assert [party.name for party in document.parties] == ["Acme Robotics GmbH - Lena Vogel", "Northwind Analytics SAS"]
    assert "self-billing" in document.footer


@pytest.mark.parametrize(
    ("country", "line"),
    [("DE", "10115 Springfield"), ("US", "Springfield, OR 10115"), ("JP", "10115 OR Springfield")],
)
def test_customer_address_is_written_for_its_country(country: str, line: str) -> None:
    customer = CUSTOMER | {"country": country, "city": "Springfield", "state": "OR", "zipcode": "10115"}
    assert line in lay_out([], customer=customer).parties[1].lines


def test_graduated_tiers_with_flat_fees_and_subtotal() -> None:
    # rating.md §5, ranges B at 11 units
    details = {
        "graduated_ranges": [
            {
                "from_value": 0,
                "to_value": 10,
                "flat_unit_amount": "5.0",
                "per_unit_amount": "2.0",
                "units": "10.0",
                "per_unit_total_amount": "20.0",
                "total_with_flat_amount": "25.0",
            },
            {
                "from_value": 11,
                "to_value": None,
                "flat_unit_amount": "3.0",
                "per_unit_amount": "1.0",
                "units": "1.0",
                "per_unit_total_amount": "1.0",
                "total_with_flat_amount": "4.0",
            },
        ]
    }
    fee = wire_fee("charge", "Calls", "11.0", "2.636363", 2900, amount_details=details, events_count=11)
    assert rows(lay_out([fee])) == [
        Row("group", "Calls", ("11", "", "", ""), ("Events: 11",)),
        Row("part", "From 0 to 10", ("10", "€2.00", "", "€20.00")),
        Row("part", "Flat fee", ("1", "€5.00", "", "€5.00")),
        Row("part", "11 and above", ("1", "€1.00", "", "€1.00")),
        Row("part", "Flat fee", ("1", "€3.00", "", "€3.00")),
        Row("subtotal", "Subtotal", ("", "", "20%", "€29.00")),
    ]


def test_graduated_percentage_tiers_show_rates() -> None:
    details = {
        "graduated_percentage_ranges": [
            {
                "from_value": 0,
                "to_value": 1000,
                "flat_unit_amount": "0.0",
                "rate": "1.0",
                "units": "1000.0",
                "per_unit_total_amount": "10.0",
                "total_with_flat_amount": "10.0",
            }
        ]
    }
    fee = wire_fee("charge", "Volume", "1000.0", "0.01", 1000, amount_details=details)
    assert rows(lay_out([fee]))[1] == Row("part", "From 0 to 1,000", ("1,000", "1%", "", "€10.00"))


def test_volume_sub_table() -> None:
    # rating.md §9, ranges A at 10.5 units
    details = {"flat_unit_amount": "10.0", "per_unit_amount": "4.5", "per_unit_total_amount": "47.25"}
    fee = wire_fee("charge", "Storage", "10.5", "5.452381", 5725, amount_details=details)
    assert [(row.name, row.cells) for row in rows(lay_out([fee]))[1:]] == [
        ("All units", ("10.5", "€4.50", "", "€47.25")),
        ("Flat fee", ("1", "€10.00", "", "€10.00")),
        ("Subtotal", ("", "", "20%", "€57.25")),
    ]


def test_package_sub_table_counts_begun_packages() -> None:
    # rating.md §7: 150.5 units, 50 free, packages of 100 at 5
    details = {
        "free_units": "50.0",
        "paid_units": "100.5",
        "per_package_size": 100,
        "per_package_unit_amount": "5.0",
    }
    fee = wire_fee("charge", "Emails", "150.5", "0.066445", 1000, amount_details=details)
    assert [(row.name, row.cells) for row in rows(lay_out([fee]))[1:3]] == [
        ("Free units", ("50", "€0.00", "", "€0.00")),
        ("Packages of 100 units", ("2", "€5.00", "", "€10.00")),
    ]


def test_percentage_sub_table() -> None:
    # rating.md §8.1, rate 1, fixed 5, three free events, four events of 10
    details = {
        "units": "40.0",
        "free_units": "30.0",
        "free_events": 3,
        "paid_units": "10.0",
        "rate": "1.0",
        "per_unit_total_amount": "0.1",
        "paid_events": 1,
        "fixed_fee_unit_amount": "5.0",
        "fixed_fee_total_amount": "5.0",
        "min_max_adjustment_total_amount": "-0.3",
    }
    fee = wire_fee("charge", "Payments", "40.0", "0.12", 480, amount_details=details)
    assert [(row.name, row.cells) for row in rows(lay_out([fee]))[1:]] == [
        ("Free units on 3 events", ("30", "0%", "", "€0.00")),
        ("Percentage of the usage", ("10", "1%", "", "€0.10")),
        ("Fixed fee per event", ("1", "€5.00", "", "€5.00")),
        ("Minimum and maximum per event", ("1", "-€0.30", "", "-€0.30")),
        ("Subtotal", ("", "", "20%", "€4.80")),
    ]


def test_one_subscription_has_a_block_per_period_plan_first_and_commitment_last() -> None:
    plan = {"interval": "monthly", "charges": []}
    february = {"from_date": "2024-01-31T23:00:00+00:00", "to_date": "2024-02-29T22:59:59+00:00"}
    document = lay_out(
        [
            wire_fee("commitment", "Scale", "1.0", "50.0", 5000),
            wire_fee("charge", "Zeta", "1.0", "1.0", 100),
            wire_fee("charge", "Alpha", "1.0", "1.0", 100, filter="eu", groups={"team": "ads", "tier": None}),
            wire_fee("fixed_charge", "Seats", "2.0", "9.0", 1800),
            wire_fee("subscription", "Scale", "1.0", "99.0", 9900, **february),
        ],
        subscriptions=[{"lago_id": "s1", "name": None, "plan": plan}],
    )
    assert document.sections[0].title == "Scale details"
    assert [block.title for block in blocks(document)] == [
        "Fees from Feb 1, 2024 to Feb 29, 2024",
        "Fees from Jan 1, 2024 to Jan 31, 2024",
    ]
    assert [row.name for row in rows(document)] == [
        "Monthly subscription - Scale",
        "Seats",
        "Alpha • eu • ads",
        "Zeta",
        "Minimum commitment - Scale",
    ]


def test_zero_lines_are_hidden_unless_they_must_be_seen() -> None:
    parent = wire_fee("charge", "Support", "0.0", "0.0", 0, lago_charge_id="c1")
    true_up = wire_fee(
        "charge",
        "Support",
        "1.0",
        "3.0",
        300,
        lago_charge_id="c1",
        lago_true_up_parent_fee_id=parent["lago_id"],
        amount_details={"flat_unit_amount": "1.0", "per_unit_amount": "1.0", "per_unit_total_amount": "1.0"},
    )
    parent["lago_true_up_fee_id"] = true_up["lago_id"]
    charges = [{"lago_id": "c1", "min_amount_cents": 1000, "prorated": False}]
    document = lay_out(
        [
            wire_fee("subscription", "Free", "1.0", "0.0", 0),
            wire_fee("charge", "Unused", "0.0", "0.0", 0),
            true_up,
            parent,
        ],
        subscriptions=[{"lago_id": "s1", "name": "Main", "plan": {"interval": "monthly", "charges": charges}}],
    )
    assert [(row.kind, row.name, row.notes) for row in rows(document)] == [
        ("line", "Support", ()),
        ("line", "Support - True-up", ("Minimum spend of €10.00 prorated",)),
    ]


def test_a_zero_plan_fee_alone_is_shown() -> None:
    document = lay_out([wire_fee("subscription", "Free", "1.0", "0.0", 0)])
    assert [row.name for row in rows(document)] == ["Subscription - Free"]


def test_pricing_units_are_converted_in_a_note() -> None:
    # rating.md §15: 300 units at 0.5
    unit = {"short_name": "CR", "amount_cents": 30000, "conversion_rate": "0.5"}
    fee = wire_fee("charge", "Compute", "300.0", "0.5", 15000, pricing_unit_details=unit)
    assert rows(lay_out([fee]))[0].notes == ("CR\u00a0300.00 at €0.50 per CR",)


def test_in_advance_charges_say_the_days_used_and_the_payment() -> None:
    fee = wire_fee(
        "charge",
        "Seats",
        "1.0",
        "10.0",
        500,
        lago_charge_id="c1",
        pay_in_advance=True,
        invoiceable=False,
        created_at="2024-01-16T10:00:00Z",
        succeeded_at="2024-01-20T10:00:00Z",
    )
    plan = {"charges": [{"lago_id": "c1", "prorated": True}]}
    document = lay_out([fee], invoice_type="advance_charges", subscriptions=[{"lago_id": "s1", "plan": plan}])
    assert rows(document)[0].notes == ("Used 16 out of 31 days", "Paid on Jan 20, 2024")
    assert document.headline_note == "Already paid"


def test_usage_breakdowns_follow_the_fees() -> None:
    entries = [{"presentation_by": {"region": "eu", "team": "ads"}, "units": "7.0"}]
    document = lay_out([wire_fee("charge", "API", "7.0", "1.0", 700, presentation_breakdowns=entries)])
    assert blocks(document)[-1] == Block(
        "API - usage breakdown", (Row("part", "region: eu • team: ads", ("7", "", "", "")),)
    )


def test_several_subscriptions_have_a_summary_and_a_page_each() -> None:
    document = lay_out(
        [
            wire_fee("charge", "API", "1.0", "10.0", 1000),
            wire_fee("commitment", "Scale", "1.0", "5.0", 500),
            wire_fee("charge", "API", "1.0", "2.0", 200, lago_subscription_id="s2"),
        ],
        subscriptions=[{"lago_id": "s1", "name": "Production"}, {"lago_id": "s2", "name": "Sandbox"}],
    )
    assert [(row.name, row.cells) for row in rows(document)] == [
        ("Production", ("€10.00",)),
        ("Minimum commitment - Scale", ("€5.00",)),
        ("Sandbox", ("€2.00",)),
    ]
    assert [section.title for section in document.annexes] == ["Production details", "Sandbox details"]
    assert document.annexes[0].blocks[-1].rows[-1] == Row("total", "Total for Production", ("", "", "", "€15.00"))


def test_progressive_invoices_end_at_their_issue_and_name_the_threshold() -> None:
    threshold = {"lifetime_usage_amount_cents": 25000, "usage_threshold": {"amount_cents": 20000}}
    document = lay_out(
        [wire_fee("charge", "API", "1.0", "250.0", 25000)],
        invoice_type="progressive_billing",
        issuing_date="2024-01-20",
        applied_usage_thresholds=[threshold],
    )
    assert blocks(document)[0].title == "Fees from Jan 1, 2024 to Jan 20, 2024"
    assert "€250.00" in document.mentions[0]
    assert "€200.00" in document.mentions[0]


def test_one_off_lines_have_description_and_period() -> None:
    document = lay_out(
        [wire_fee("add_on", "Setup", "2.0", "50.0", 10000, description="On site")], invoice_type="one_off"
    )
    assert rows(document) == [
        Row(
            "line",
            "Setup",
            ("2", "€50.00", "20%", "€100.00"),
            ("On site", "Fees from Jan 1, 2024 to Jan 31, 2024"),
        )
    ]


@pytest.mark.parametrize(("name", "shown"), [("credit", "Prepaid credits"), ("Summer top-up", "Summer top-up")])
def test_credit_invoices_have_one_line_and_only_the_total(name: str, shown: str) -> None:
    document = lay_out(
        [wire_fee("credit", name, "100.0", "1.5", 15000)], invoice_type="credit", total_amount_cents=15000
    )
    assert document.sections[0].columns == ("Item", "Credits", "Rate", "Amount")
    assert rows(document) == [Row("line", shown, ("100", "€1.50", "€150.00"))]
    assert [total.label for total in document.totals] == ["Total"]


def test_totals_stand_in_the_order_of_the_specification() -> None:
    document = lay_out(
        [wire_fee("charge", "API", "1.0", "200.0", 20000)],
        progressive_billing_credit_amount_cents=5000,
        credits=[
            {"amount_cents": 1000, "item": {"type": "coupon", "name": "Welcome", "code": "w"}},
            {"amount_cents": 300, "item": {"type": "credit_note", "name": "X", "code": "CN"}},
        ],
        sub_total_excluding_taxes_amount_cents=14000,
        applied_taxes=[
            wire_tax("City", "city", 2.5, 350, 14000),
            wire_tax("VAT", "vat", 20.0, 2800, 14000),
            wire_tax("Reverse charge", "lago_eu_reverse_charge", 0, 0, 14000),
        ],
        sub_total_including_taxes_amount_cents=17150,
        credit_notes_amount_cents=300,
        prepaid_credit_amount_cents=850,
        prepaid_granted_credit_amount_cents=350,
        prepaid_purchased_credit_amount_cents=500,
        total_amount_cents=16000,
    )
    assert [(total.label, total.amount) for total in document.totals] == [
        ("Usage already billed", "-€50.00"),
        ("Welcome (€10.00)", "-€10.00"),
        ("Subtotal (excl. tax)", "€140.00"),
        ("VAT (20% on €140.00)", "€28.00"),
        ("City (2.5% on €140.00)", "€3.50"),
        ("Reverse charge", ""),
        ("Subtotal (incl. tax)", "€171.50"),
        ("Credit notes", "-€3.00"),
        ("Free credits", "-€3.50"),
        ("Prepaid credits", "-€5.00"),
        ("Total", "€160.00"),
    ]


def test_without_taxes_a_zero_row_stands_and_untraceable_credits_are_one_line() -> None:
    document = lay_out([], applied_taxes=[], prepaid_credit_amount_cents=700)
    labels = [(total.label, total.amount) for total in document.totals]
    assert ("Tax (0%)", "€0.00") in labels
    assert ("Prepaid credits", "-€7.00") in labels


@pytest.mark.parametrize(
    ("code", "entity", "words"),
    [
        ("lago_eu_reverse_charge", {}, "Reverse charge"),
        ("lago_eu_tax_exempt", {"country": "DE"}, "outside the scope"),
        ("lago_eu_tax_exempt", {}, "259-1"),
        ("lago_eu_reverse_charge", {"eu_tax_management": False}, None),
    ],
)
def test_exemptions_are_mentioned_under_eu_management(code: str, entity: dict[str, Any], words: str | None) -> None:
    document = lay_out([], ENTITY | entity, applied_taxes=[wire_tax("Tax", code, 0, 0, 0)])
    assert [words in mention for mention in document.mentions] == [True] if words else document.mentions == ()


def test_custom_sections_footer_and_mark() -> None:
    sections = [{"display_name": "How to pay", "details": "By transfer.\nWithin 30 days."}]
    document = lay_out([], applied_invoice_custom_sections=sections)
    assert document.passages[0].text == "By transfer.\nWithin 30 days."
    assert document.footer == "Capital 120 000 EUR"
    assert document.powered
    assert not lay_out_invoice(wire_invoice([]), ENTITY, "en", marked=False).powered
