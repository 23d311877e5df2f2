"""Credit notes through the official client: every method, and what it raises."""

from __future__ import annotations

from typing import Any

import pytest
from lago_python_client.models import CreditNote, CreditNoteEstimate, CreditNoteUpdate, Item, Items

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


@pytest.fixture
def invoice(shop: Shop) -> Any:
    """The invoice of June: 20.00 and 20 % tax."""
    return shop.invoice()


def items(invoice: Any, cents: int = 1000) -> Items:
    """So much of its first fee."""
    return Items(__root__=[Item(fee_id=invoice.fees.__root__[0].lago_id, amount_cents=cents)])


@pytest.fixture
def made(shop: Shop, invoice: Any) -> Any:
    """A credit of half of it."""
    return shop.lago.credit_notes.create(
        CreditNote(
            invoice_id=invoice.lago_id,
            reason="order_change",
            description="half",
            credit_amount_cents=1200,
            refund_amount_cents=0,
            items=items(invoice),
        )
    )


def test_create_and_find(shop: Shop, invoice: Any, made: Any) -> None:
    found = shop.lago.credit_notes.find(made.lago_id)
    assert found == made
    assert (made.number, made.lago_invoice_id) == (f"{invoice.number}-CN001", invoice.lago_id)
    assert (made.total_amount_cents, made.taxes_amount_cents, made.taxes_rate) == (1200, 200, 20)
    assert (made.credit_status, made.balance_amount_cents, made.refund_status) == ("available", 1200, None)
    (item,) = made.items.__root__
    assert (item.amount_cents, item.fee.lago_id) == (1000, invoice.fees.__root__[0].lago_id)
    (row,) = made.applied_taxes.__root__
    assert (row.base_amount_cents, row.amount_cents, row.tax_code) == (1000, 200, "vat")


def test_refused_creations(shop: Shop, invoice: Any) -> None:
    create = shop.lago.credit_notes.create
    body = CreditNote(invoice_id=invoice.lago_id, credit_amount_cents=1, items=items(invoice))
    assert refused(create, body) == invalid(base=["does_not_match_item_amounts"])
    assert refused(create, CreditNote(invoice_id="x", items=items(invoice))) == coded(404, "invoice_not_found")
    much = CreditNote(invoice_id=invoice.lago_id, credit_amount_cents=2402, items=items(invoice, 2001))
    assert refused(create, much) == invalid(amount_cents=["higher_than_remaining_fee_amount"])
    assert refused(create, CreditNote(invoice_id=invoice.lago_id)) == invalid(items=["must_be_an_array"])


def test_estimate(shop: Shop, invoice: Any) -> None:
    guess = shop.lago.credit_notes.estimate(CreditNoteEstimate(invoice_id=invoice.lago_id, items=items(invoice)))
    assert (guess.max_creditable_amount_cents, guess.max_refundable_amount_cents) == (1200, 0)
    assert (guess.max_offsettable_amount_cents, guess.taxes_amount_cents) == (1200, 200)
    assert [row.amount_cents for row in guess.items.__root__] == [1000]


def test_find_all(shop: Shop, made: Any) -> None:
    lago = shop.lago
    assert [row.lago_id for row in lago.credit_notes.find_all()["credit_notes"]] == [made.lago_id]
    assert lago.credit_notes.find_all({"types[]": ["refund"]})["credit_notes"] == []
    assert lago.credit_notes.find_all({"external_customer_id": "nobody"})["credit_notes"] == []


def test_update(shop: Shop, made: Any) -> None:
    update = shop.lago.credit_notes.update
    assert update(CreditNoteUpdate(metadata={"case": "12"}), made.lago_id).metadata == {"case": "12"}
    body = CreditNoteUpdate(refund_status="succeeded")
    assert refused(update, body, made.lago_id) == invalid(refund_status=["value_is_invalid"])
    assert refused(update, body, "x") == coded(404, "credit_note_not_found")


def test_void(shop: Shop, made: Any) -> None:
    gone = shop.lago.credit_notes.void(made.lago_id)
    assert (gone.credit_status, gone.balance_amount_cents, gone.total_amount_cents) == ("voided", 0, 1200)
    assert refused(shop.lago.credit_notes.void, made.lago_id) == coded(405, "no_voidable_amount")


def test_download(shop: Shop, made: Any) -> None:
    assert made.file_url is None
    shop.settle()
    assert shop.lago.credit_notes.download(made.lago_id).file_url is not None
    assert refused(shop.lago.credit_notes.download, "x") == coded(404, "credit_note_not_found")


def test_metadata(shop: Shop, made: Any) -> None:
    client = shop.lago.credit_notes
    assert client.replace_metadata(made.lago_id, {"a": "1"}) == {"a": "1"}
    assert client.merge_metadata(made.lago_id, {"b": None}) == {"a": "1", "b": None}
    assert client.delete_metadata_key(made.lago_id, "a") == {"b": None}
    assert client.delete_all_metadata(made.lago_id) is None


def test_a_void_of_the_invoice_with_a_note(shop: Shop, invoice: Any) -> None:
    shop.api.post(f"/invoices/{invoice.lago_id}/void", {"generate_credit_note": True, "credit_amount": 1200})
    rows = shop.lago.credit_notes.find_all()["credit_notes"]
    assert [(row.credit_status, row.total_amount_cents) for row in rows] == [("voided", 1200), ("available", 1200)]
