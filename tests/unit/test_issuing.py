"""Dates and numbers of invoices: the tables of invoicing.md §4 and §5."""

from __future__ import annotations

import datetime as dt

import pytest

from tallystick.core.issuing import customer_number, dates_at_finalization, draft_number, entity_number, invoice_dates
from tests.support.terms import customer_terms

JUNE = dt.date(2025, 6, 1)


@pytest.mark.parametrize(
    ("anchor", "adjustment", "issued_on", "issued_at_finalization", "due_on"),
    [
        ("next_period_start", "align_with_finalization_date", "06-04", "06-04", "07-04"),
        ("next_period_start", "keep_anchor", "06-01", "06-01", "07-01"),
        ("current_period_end", "align_with_finalization_date", "06-04", "06-04", "07-04"),
        ("current_period_end", "keep_anchor", "05-31", "05-31", "06-30"),
    ],
)
def test_grace_of_three_days_and_term_of_thirty(
    anchor: str, adjustment: str, issued_on: str, issued_at_finalization: str, due_on: str
) -> None:
    terms = customer_terms(grace_days=3, net_payment_term=30, issuing_anchor=anchor, issuing_adjustment=adjustment)
    dates = invoice_dates(JUNE, terms, graced=True, recurring=True)
    assert dates.issuing_on == _day(issued_on)
    assert dates.finalization_on == _day("06-04")
    final, due = dates_at_finalization(dates.issuing_on, dates.finalization_on, terms, recurring=True)
    assert (final, due) == (_day(issued_at_finalization), _day(due_on))


def test_finalized_by_hand_on_the_second() -> None:
    terms = customer_terms(grace_days=3, net_payment_term=30)
    dates = invoice_dates(JUNE, terms, graced=True, recurring=True)
    assert dates_at_finalization(dates.issuing_on, _day("06-02"), terms, recurring=True) == (
        _day("06-02"),
        _day("07-02"),
    )


@pytest.mark.parametrize("adjustment", ["align_with_finalization_date", "keep_anchor"])
def test_period_end_without_grace_is_the_day_before(adjustment: str) -> None:
    terms = customer_terms(net_payment_term=30, issuing_anchor="current_period_end", issuing_adjustment=adjustment)
    dates = invoice_dates(JUNE, terms, graced=True, recurring=True)
    assert (dates.issuing_on, dates.finalization_on, dates.due_on) == (_day("05-31"), JUNE, _day("06-30"))


def test_other_invoices() -> None:
    terms = customer_terms(grace_days=3, issuing_anchor="current_period_end")
    start = invoice_dates(JUNE, terms, graced=True, recurring=False)
    assert (start.issuing_on, start.finalization_on) == (_day("06-04"), _day("06-04"))
    at_once = invoice_dates(JUNE, terms, graced=False, recurring=False)
    assert (at_once.issuing_on, at_once.finalization_on) == (JUNE, JUNE)


def test_numbers() -> None:
    assert customer_number("BENT-1", 2, 6) == "BENT-1-002-006"
    assert customer_number("ACM", 1234, 1000) == "ACM-1234-1000"
    assert entity_number("BENT-11", dt.date(2023, 10, 1), 10) == "BENT-11-202310-010"
    assert draft_number("ACM-12") == "ACM-12-DRAFT"


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2025-{text}")
