"""Numbers of issued invoices: without gaps under concurrent writers, and the worked sequence (invoicing.md §5)."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tallystick.flows.billing.one_off import bill_once as bill_once_in
from tallystick.ground.installation import Installation
from tests.support.api import Api
from tests.support.billing import add_on, bill_once, invoices
from tests.support.catalog import plan
from tests.support.subscriptions import customer, subscribe

WRITERS = 16
EACH = 4


def numbered(api: Api, scheme: str, prefix: str) -> None:
    settings = {"document_numbering": scheme, "document_number_prefix": prefix}
    api.put("/organizations", {"organization": settings})


def write_at_once(api: Api, customers: list[str]) -> list[dict[str, Any]]:
    """One-off invoices of these customers in turn, by many writers at once."""
    wanted = [customers[place % len(customers)] for place in range(WRITERS * EACH)]
    with ThreadPoolExecutor(WRITERS) as writers:
        return list(writers.map(lambda of: bill_once(api, of=of), wanted))


@pytest.mark.parametrize("scheme", ["per_customer", "per_organization"])
def test_concurrent_writers_leave_no_gap_per_customer_and_entity(api: Api, scheme: str) -> None:
    api.at("2025-06-05T10:00:00Z")
    numbered(api, scheme, "ACME")
    names = ["a", "b", "c"]
    for name in names:
        customer(api, name)
    add_on(api)
    found = defaultdict(list)
    made = write_at_once(api, names)
    for row in made:
        found[row["customer"]["external_id"]].append(row["sequential_id"])
    assert {name: sorted(ids) for name, ids in found.items()} == {
        name: list(range(1, len(found[name]) + 1)) for name in names
    }
    numbers = sorted(row["number"] for row in made)
    if scheme == "per_customer":
        wanted = [f"ACME-{place:03d}-{id:03d}" for place, name in enumerate(names, 1) for id in found[name]]
    else:
        wanted = [f"ACME-202506-{number:03d}" for number in range(1, len(made) + 1)]
    assert numbers == sorted(wanted)


async def test_a_number_that_was_drawn_and_not_kept_is_given_again(api: Api, installation: Installation) -> None:
    """Writers that fail after drawing leave no gap either."""
    numbered(api, "per_organization", "ACME")
    customer(api)
    add_on(api)
    organization_id = uuid.UUID(api.organization["lago_id"])
    at = dt.datetime(2025, 6, 5, tzinfo=dt.UTC)
    fields = {"currency": "EUR", "fees": [{"add_on_code": "setup"}]}

    async def write(keep: bool) -> None:
        try:
            async with installation.database.begin() as tx:
                await bill_once_in(tx, organization_id, at, "c", fields)
                if not keep:
                    raise LookupError
        except LookupError:
            return

    await asyncio.gather(*(write(keep=place % 3 == 0) for place in range(WRITERS)))
    made = invoices(api)
    assert sorted(row["sequential_id"] for row in made) == list(range(1, len(made) + 1))
    assert sorted(row["number"] for row in made) == [f"ACME-202506-{id:03d}" for id in range(1, len(made) + 1)]
    assert len(made) == 6


def test_the_worked_sequence(api: Api) -> None:
    api.at("2023-06-10T00:00:00Z")
    numbered(api, "per_customer", "bent-1")
    plan(api, amount_cents=1000)
    plan(api, "advance", amount_cents=500, pay_in_advance=True)
    names = ["a", "b", "c"]
    for name in names:
        customer(api, name)
        subscribe(api, of=name, external_id=name)
    seen: set[str] = set()

    def issued() -> set[tuple[str, int]]:
        """(number, sequential id) of what is new since the last call."""
        rows = [row for name in names for row in invoices(api, name) if row["lago_id"] not in seen]
        seen.update(row["lago_id"] for row in rows)
        return {(row["number"], row["sequential_id"]) for row in rows}

    api.at("2023-09-02T00:00:00Z")
    assert issued() == {(f"BENT-1-{of:03d}-{id:03d}", id) for of in (1, 2, 3) for id in (1, 2, 3)}
    numbered(api, "per_organization", "BENT-11")
    api.at("2023-10-02T00:00:00Z")
    assert issued() == {("BENT-11-202310-010", 4), ("BENT-11-202310-011", 4), ("BENT-11-202310-012", 4)}
    numbered(api, "per_customer", "BENT-11")
    api.at("2023-11-02T00:00:00Z")
    assert issued() == {(f"BENT-11-{of:03d}-005", 5) for of in (1, 2, 3)}
    api.at("2023-11-22T00:00:00Z")
    subscribe(api, "advance", of="b", external_id="b2")
    assert issued() == {("BENT-11-002-006", 6)}
    numbered(api, "per_organization", "BENT-11")
    api.at("2023-12-02T00:00:00Z")
    assert issued() == {("BENT-11-202312-017", 6), ("BENT-11-202312-018", 7), ("BENT-11-202312-019", 6)}


def test_the_month_of_a_number_is_the_issuers(api: Api) -> None:
    api.put("/organizations", {"organization": {"timezone": "Asia/Tokyo"}})
    numbered(api, "per_organization", "ACME")
    api.at("2025-05-31T20:00:00Z")
    customer(api, timezone="America/New_York")
    add_on(api)
    made = bill_once(api)
    assert (made["number"], made["issuing_date"]) == ("ACME-202506-001", "2025-05-31")


def test_only_what_becomes_final_takes_a_number(api: Api) -> None:
    """Drafts, deleted and closed invoices consume none; a voided one keeps its own."""
    api.at("2025-06-05T10:00:00Z")
    numbered(api, "per_customer", "ACME")
    customer(api, finalize_zero_amount_invoice="skip")
    add_on(api)
    voided = bill_once(api)
    api.post(f"/invoices/{voided['lago_id']}/void")
    bill_once(api, [{"add_on_code": "setup", "units": 0}])
    plan(api, pay_in_advance=True)
    settings = {"billing_configuration": {"invoice_grace_period": 3}}
    api.post("/customers", {"customer": {"external_id": "c", **settings}})
    subscribe(api)
    draft = next(row for row in invoices(api) if row["status"] == "draft")
    assert (draft["number"], draft["sequential_id"]) == ("ACME-DRAFT", None)
    api.delete(f"/invoices/{draft['lago_id']}")
    assert [bill_once(api)["number"], voided["number"]] == ["ACME-001-002", "ACME-001-001"]


def test_each_billing_entity_counts_for_itself(api: Api) -> None:
    api.at("2025-06-05T10:00:00Z")
    customer(api)
    add_on(api)
    numbered(api, "per_customer", "ACME")
    api.post("/billing_entities", {"billing_entity": {"name": "B", "code": "b", "document_number_prefix": "BR"}})
    made = [bill_once(api, billing_entity_code=code)["number"] for code in (None, "b", None, "b")]
    assert made == ["ACME-001-001", "BR-001-001", "ACME-001-002", "BR-001-002"]
