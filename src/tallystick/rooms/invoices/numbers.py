"""Numbers of issued invoices: unique and without gaps per scope (invoicing.md §5). Counters are drawn once per set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from tallystick.core.contract import CustomerTerms, IssuerTerms
from tallystick.core.issuing import customer_number, entity_number
from tallystick.core.periods import local_date
from tallystick.ground.db import Tx

PER_ENTITY = "per_billing_entity"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An invoice that becomes final at `at` and needs a number."""

    customer: CustomerTerms
    issuer: IssuerTerms
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Numbered:
    """What it is called: `sequential_id` counts per customer and billing entity, whatever the scheme."""

    number: str
    sequential_id: int


async def draw(tx: Tx, wanted: Sequence[Wanted]) -> list[Numbered]:
    """Numbers in the order given. The counter rows stay locked until the transaction ends, so no number is lost."""
    if not wanted:
        return []
    scopes = Counter((item.customer.id, item.issuer.id) for item in wanted)
    customers = await _draw_customers(tx, scopes)
    entities = await _draw_entities(tx, Counter(item.issuer.id for item in wanted if _per_entity(item)))
    numbered = []
    for item in wanted:
        sequential_id = customers[item.customer.id, item.issuer.id].pop()
        if _per_entity(item):
            on = local_date(item.at, item.issuer.timezone)
            number = entity_number(item.issuer.number_prefix, on, entities[item.issuer.id].pop())
        else:
            number = customer_number(item.issuer.number_prefix, item.customer.sequential_id, sequential_id)
        numbered.append(Numbered(number, sequential_id))
    return numbered


def _per_entity(item: Wanted) -> bool:
    # self-billed invoices are always numbered per customer (invoicing.md §23)
    return item.issuer.numbering == PER_ENTITY and not item.customer.self_billed


Pool = dict[tuple[uuid.UUID, uuid.UUID], list[int]]


async def _draw_customers(tx: Tx, scopes: Counter[tuple[uuid.UUID, uuid.UUID]]) -> Pool:
    ordered = sorted(scopes)
    rows = await tx.execute(
        _DRAW_CUSTOMERS,
        {
            "customers": [customer for customer, _ in ordered],
            "entities": [entity for _, entity in ordered],
            "counts": [scopes[scope] for scope in ordered],
        },
    )
    return {
        (row.customer_id, row.billing_entity_id): _downwards(
            row.last_value, scopes[row.customer_id, row.billing_entity_id]
        )
        for row in rows
    }


async def _draw_entities(tx: Tx, counts: Counter[uuid.UUID]) -> dict[uuid.UUID, list[int]]:
    if not counts:
        return defaultdict(list)
    ordered = sorted(counts)
    rows = await tx.execute(_DRAW_ENTITIES, {"entities": ordered, "counts": [counts[entity] for entity in ordered]})
    return {row.id: _downwards(row.document_sequence, counts[row.id]) for row in rows}


def _downwards(last: int, count: int) -> list[int]:
    """The drawn values, so that `pop` takes them from the smallest."""
    return list(range(last, last - count, -1))


_DRAW_CUSTOMERS = text("""
    insert into invoice_counters as c (customer_id, billing_entity_id, last_value)
    select customer_id, billing_entity_id, n
    from unnest(cast(:customers as uuid[]), cast(:entities as uuid[]), cast(:counts as int[]))
      as w(customer_id, billing_entity_id, n)
    on conflict (customer_id, billing_entity_id) do update set last_value = c.last_value + excluded.last_value
    returning customer_id, billing_entity_id, last_value
""")

_DRAW_ENTITIES = text("""
    update billing_entities e set document_sequence = e.document_sequence + w.n
    from unnest(cast(:entities as uuid[]), cast(:counts as int[])) as w(id, n)
    where e.id = w.id
    returning e.id, e.document_sequence
""")
