"""Whatever an invoice and its wallets are: nobody pays more than there is, and every cent has its source."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.money import from_cents
from tallystick.core.wallets import AvailableWallet, FeeKind, Funding, Part, pay, topped_up

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
METRICS = [UUID(int=place) for place in range(1, 4)]
TYPES = ["subscription", "fixed_charge", "commitment"]
KINDS = [*(FeeKind("charge", metric) for metric in METRICS), *(FeeKind(name) for name in TYPES)]
RATES = st.decimals("0.00001", 1000, places=5)


@st.composite
def fundings(draw: st.DrawFn) -> Funding:
    return Funding(
        uuid4(),
        draw(st.integers(1, 10**6)),
        draw(st.booleans()),
        draw(st.integers(1, 50)),
        START + dt.timedelta(days=draw(st.integers(0, 3))),
    )


@st.composite
def wallets(draw: st.DrawFn) -> AvailableWallet:
    own = tuple(draw(st.lists(fundings(), min_size=1, max_size=4)))
    return AvailableWallet(
        id=uuid4(),
        code="w",
        currency="EUR",
        rate=draw(RATES),
        priority=draw(st.integers(1, 3)),
        created_at=START,
        balance_cents=sum(one.remaining_cents for one in own),
        fundings=own,
        fee_types=draw(st.frozensets(st.sampled_from(TYPES), max_size=2)),
        metric_ids=draw(st.frozensets(st.sampled_from(METRICS), max_size=2)),
    )


PARTS = st.lists(
    st.builds(Part, st.sampled_from(KINDS), st.decimals(-10, 10**6, places=5)),
    max_size=8,
)


@given(PARTS, st.lists(wallets(), max_size=6), st.integers(0, 3))
def test_payments_stay_within_everything(parts: list[Part], own: list[AvailableWallet], lost: int) -> None:
    total = max(int(sum((part.cents for part in parts if part.cents > 0), Decimal(0))) + lost - 1, 0)
    payments = pay(total, parts, own)
    by_id = {each.id: each for each in own}
    assert sum(payment.worth.amount_cents for payment in payments) <= total
    for payment in payments:
        cents = payment.worth.amount_cents
        assert 0 < cents <= by_id[payment.wallet_id].balance_cents
        assert sum(given for _, given in payment.links) == cents
        assert all(0 < given <= funding.remaining_cents for funding, given in payment.links)
        left = by_id[payment.wallet_id].after(payment)
        assert left.balance_cents == sum(one.remaining_cents for one in left.fundings)


@given(PARTS, st.lists(wallets(), min_size=1, max_size=4))
def test_an_unlimited_purse_pays_everything(parts: list[Part], own: list[AvailableWallet]) -> None:
    total = int(sum((part.cents for part in parts if part.cents > 0), Decimal(0)))
    rich = [
        AvailableWallet(uuid4(), "w", "EUR", Decimal(1), 50, START, total, (Funding(uuid4(), total, True, 1, START),))
        for _ in range(bool(total))
    ]
    assert sum(payment.worth.amount_cents for payment in pay(total, parts, [*own, *rich])) == total


@given(st.decimals(0, 10**9, places=7), RATES)
def test_credits_given_are_worth_the_money(credits: Decimal, rate: Decimal) -> None:
    worth = topped_up(credits, rate, "EUR")
    assert worth.amount_cents >= 0
    # five decimals of a credit
    assert abs(worth.credit_amount * rate - from_cents(worth.amount_cents, "EUR")) <= rate * Decimal("0.000005")
