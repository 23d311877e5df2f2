"""Prepaid credits: the tables and worked examples of wallets.md §2 and §5."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tallystick.core.contract import TaxTerms
from tallystick.core.invoice import TARGET_WALLET, FeeDraft, FeeType, compose
from tallystick.core.wallets import (
    AvailableWallet,
    FeeKind,
    Funding,
    Overdrawn,
    Part,
    Purse,
    Worth,
    consumed,
    draw,
    pay,
    topped_up,
    voided,
)

METRIC_A, METRIC_B, METRIC_C = UUID(int=1), UUID(int=2), UUID(int=3)
CHARGE_A, CHARGE_B = UUID(int=11), UUID(int=12)
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
A, B = FeeKind("charge", METRIC_A), FeeKind("charge", METRIC_B)
PLAN = FeeKind("subscription")


@pytest.mark.parametrize(
    ("rate", "credits", "cents", "given"),
    [
        ("1", "17.9699999", 1797, "17.97"),
        ("2", "3.337", 667, "3.335"),
        ("1.5", "0.333", 50, "0.33333"),
        ("0.1234", "10", 123, "9.96759"),
        ("0.001", "5", 1, "10"),
        ("0.001", "4", 0, "0"),
    ],
)
def test_top_ups_are_whole_minor_units(rate: str, credits: str, cents: int, given: str) -> None:
    assert topped_up(Decimal(credits), Decimal(rate), "EUR") == Worth(cents, Decimal(given))


def test_voids_are_not_realigned() -> None:
    assert voided(Decimal("14.28444999"), Decimal(1), "EUR") == Worth(1428, Decimal("14.28444"))


@pytest.mark.parametrize(("rate", "cents", "credits"), [("3", 1000, "3.33333"), ("0.7", 12345, "176.35714")])
def test_consumption_in_credits(rate: str, cents: int, credits: str) -> None:
    assert consumed(cents, Decimal(rate), "EUR") == Worth(cents, Decimal(credits))


def test_currencies_without_cents() -> None:
    assert topped_up(Decimal("10.6"), Decimal(1), "JPY") == Worth(11, Decimal(11))
    assert consumed(1000, Decimal(3), "JPY") == Worth(1000, Decimal("333.33333"))


def funding(cents: int, priority: int = 50, day: int = 0, *, granted: bool = True) -> Funding:
    return Funding(uuid4(), cents, granted, priority, START + dt.timedelta(days=day))


def wallet(cents: int, priority: int = 50, **more: Any) -> AvailableWallet:
    """A wallet with one granted top-up."""
    given: dict[str, Any] = {"code": "w", "rate": Decimal(1), "created_at": START, **more}
    return AvailableWallet(
        uuid4(), currency="EUR", priority=priority, balance_cents=cents, fundings=(funding(cents),), **given
    )


def paid(total: int, parts: list[Part], *wallets: AvailableWallet) -> list[int]:
    """What each wallet pays, in the order given."""
    found = {payment.wallet_id: payment.worth.amount_cents for payment in pay(total, parts, wallets)}
    return [found.get(each.id, 0) for each in wallets]


def test_wallets_pay_what_they_are_for_in_order_of_priority() -> None:
    parts = [Part(A, Decimal(6000)), Part(B, Decimal(3600)), Part(PLAN, Decimal(2400))]
    metric_only = wallet(4000, 1, metric_ids=frozenset({METRIC_A}))
    plans_only = wallet(10000, 2, fee_types=frozenset({"subscription"}))
    assert paid(12000, parts, metric_only, plans_only, wallet(5000)) == [4000, 2400, 5000]


def test_a_cent_lost_in_rounding_is_paid() -> None:
    parts = [Part(FeeKind("charge", metric), Decimal("398.268")) for metric in (METRIC_A, METRIC_B, METRIC_C)]
    assert paid(1195, parts, wallet(5000)) == [1195]


def test_a_gap_larger_than_rounding_stays() -> None:
    assert paid(1300, [Part(A, Decimal(1195))], wallet(5000)) == [1195]


def test_rounding_up_never_exceeds_the_total() -> None:
    limited = [wallet(500, place, metric_ids=frozenset({metric})) for place, metric in ((1, METRIC_A), (2, METRIC_B))]
    assert paid(201, [Part(A, Decimal("100.5")), Part(B, Decimal("100.5"))], *limited) == [101, 100]


def test_either_limit_is_enough() -> None:
    both = wallet(9000, fee_types=frozenset({"subscription"}), metric_ids=frozenset({METRIC_A}))
    parts = [Part(A, Decimal(1000)), Part(B, Decimal(1000)), Part(PLAN, Decimal(1000))]
    assert paid(3000, parts, both) == [2000]


def test_only_the_named_wallet_pays_for_targeted_usage() -> None:
    named, first = wallet(700, 50, code="gpu", fee_types=frozenset({"add_on"})), wallet(9000, 1)
    parts = [Part(FeeKind("charge", METRIC_A, "gpu"), Decimal(1000)), Part(B, Decimal(500))]
    assert paid(1500, parts, first, named) == [500, 700]


def test_same_priority_goes_by_age() -> None:
    young, old = wallet(1000, created_at=START + dt.timedelta(days=1)), wallet(1000)
    assert paid(1500, [Part(PLAN, Decimal(1500))], young, old) == [500, 1000]


def test_top_ups_are_spent_in_order() -> None:
    first, second = funding(3000, 1, granted=False), funding(2000, 2)
    granted, purchased = funding(4000, 50, day=1), funding(5000, 50, day=0, granted=False)
    links = draw(10000, [purchased, granted, second, first])
    assert [(one.id, cents) for one, cents in links] == [
        (first.id, 3000),
        (second.id, 2000),
        (granted.id, 4000),
        (purchased.id, 1000),
    ]
    with pytest.raises(Overdrawn):
        draw(1, [])


def fee(fee_type: FeeType, cents: int, charge_id: UUID | None = None, **more: Any) -> FeeDraft:
    vat = TaxTerms(UUID(int=99), "vat", "VAT", Decimal(20), None)
    return FeeDraft(
        id=uuid4(),
        subscription_id=uuid4(),
        fee_type=fee_type,
        currency="EUR",
        amount_cents=cents,
        precise_amount_cents=Decimal(cents),
        units=Decimal(1),
        unit_amount=Decimal(cents) / 100,
        taxes=(vat,),
        charge_id=charge_id,
        **more,
    )


def test_an_invoice_with_taxes() -> None:
    fees = [fee(FeeType.CHARGE, 5000, CHARGE_A), fee(FeeType.CHARGE, 3000, CHARGE_B), fee(FeeType.SUBSCRIPTION, 2000)]
    wallets = (
        wallet(4000, 1, metric_ids=frozenset({METRIC_A})),
        wallet(10000, 2, fee_types=frozenset({"subscription"})),
        wallet(5000),
    )
    invoice = compose(fees, purse=Purse(wallets, {CHARGE_A: METRIC_A, CHARGE_B: METRIC_B}))
    assert [payment.worth.amount_cents for payment in invoice.prepaid] == [4000, 2400, 5000]
    assert (invoice.prepaid_credit_amount_cents, invoice.total_amount_cents) == (11400, 600)
    assert (invoice.prepaid_cents(granted=True), invoice.prepaid_cents(granted=False)) == (11400, None)


def test_a_fee_that_names_its_wallet() -> None:
    targeted = fee(FeeType.CHARGE, 1000, CHARGE_A, grouped_by={TARGET_WALLET: "gpu"})
    invoice = compose([targeted], purse=Purse((wallet(5000), wallet(700, code="gpu"))))
    assert (invoice.prepaid_credit_amount_cents, invoice.total_amount_cents) == (700, 500)


def test_a_payment_leaves_the_rest_to_the_next_invoice() -> None:
    purchased = funding(300, 1, granted=False)
    own = wallet(500)
    own = AvailableWallet(
        own.id, "w", "EUR", Decimal(1), 50, START, 500, (purchased, funding(200)), frozenset(), frozenset()
    )
    (payment,) = pay(400, [Part(PLAN, Decimal(400))], [own])
    assert (payment.cents_of(granted=False), payment.cents_of(granted=True)) == (300, 100)
    left = own.after(payment)
    assert (left.balance_cents, [one.remaining_cents for one in left.fundings]) == (100, [100])
