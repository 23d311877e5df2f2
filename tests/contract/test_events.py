"""`events` through the official client, which sends every optional field as null."""

from __future__ import annotations

import pytest
from lago_python_client.models import BatchEvent, Event

from tests.contract.refusals import coded, invalid, refused
from tests.contract.shop import Shop


def test_create(shop: Shop) -> None:
    made = shop.event(4, transaction_id="tx", timestamp=1_748_800_000, precise_total_amount_cents="12.5")
    assert (made.transaction_id, made.external_subscription_id, made.code) == ("tx", "sub", "calls")
    assert made.timestamp == "2025-06-01T17:46:40.000Z"
    assert (made.properties, made.precise_total_amount_cents) == ({"n": 4}, "12.5")
    assert shop.lago.events.find("tx").lago_id == made.lago_id


def test_nulls_are_as_if_absent(shop: Shop) -> None:
    made = shop.event(properties=None, timestamp=None)
    assert (made.timestamp, made.properties) == ("2025-06-01T00:00:00.000Z", {})
    assert made.precise_total_amount_cents is None


@pytest.mark.parametrize("transaction_id", ["a.b/c".replace("/", "."), "t@x", "a b", "a+b", "ñ"])
def test_transaction_ids_are_found_as_given(shop: Shop, transaction_id: str) -> None:
    shop.event(transaction_id=transaction_id)
    assert shop.lago.events.find(transaction_id).transaction_id == transaction_id


def test_an_escaped_slash_stays_in_its_segment(shop: Shop) -> None:
    shop.event(transaction_id="a/b.c")
    assert shop.lago.events.find("a%2Fb.c").transaction_id == "a/b.c"


def test_a_subscription_that_is_not_named(shop: Shop) -> None:
    """An event of no subscription keeps an empty text: the client takes no null there (sdk-compat.md R2)."""
    shop.api.post("/events", {"event": {"transaction_id": "free", "code": "calls"}})
    assert shop.lago.events.find("free").external_subscription_id == ""


def test_batch_create(shop: Shop) -> None:
    events = [
        Event(transaction_id=f"b{n}", external_subscription_id="sub", code="calls", properties={"n": n})
        for n in (1, 2, 3)
    ]
    assert shop.lago.events.batch_create(BatchEvent(events=events)) is None
    assert shop.lago.customers.current_usage("acme", "sub").charges_usage[0].units == "6.0"
    again = refused(shop.lago.events.batch_create, BatchEvent(events=events[1:]))
    assert again["error_details"] == {str(place): {"transaction_id": ["value_already_exist"]} for place in (0, 1)}


def test_refusals(shop: Shop) -> None:
    shop.event(transaction_id="tx")
    twice = Event(transaction_id="tx", external_subscription_id="sub", code="calls")
    assert refused(shop.lago.events.create, twice) == invalid(transaction_id=["value_already_exist"])
    nameless = Event(transaction_id="", external_subscription_id="sub", code="")
    assert refused(shop.lago.events.create, nameless) == invalid(
        transaction_id=["value_is_mandatory"], code=["value_is_mandatory"]
    )
    timeless = Event(transaction_id="t", external_subscription_id="sub", code="c", timestamp="soon")
    assert refused(shop.lago.events.create, timeless) == invalid(timestamp=["invalid_format"])
    assert refused(shop.lago.events.batch_create, BatchEvent(events=[])) == invalid(events=["no_events"])
    assert refused(shop.lago.events.find, "nope") == coded(404, "event_not_found")
