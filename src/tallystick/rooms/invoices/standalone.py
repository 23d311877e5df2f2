"""Fees that stand on no invoice: stored alone, and brought together once they are paid (invoicing.md §12, §13).

They carry their taxes from birth, and keep them on the invoice that brings them together.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, UUID, Text, any_, cast, select, text

from tallystick.core.invoice import Purpose, TaxedFee
from tallystick.ground import outbox
from tallystick.ground.db import Tx, copy, load_query
from tallystick.ground.outbox import Message
from tallystick.ground.tables import Fee, FeeTax
from tallystick.rooms.invoices.ledger import fee_row, fee_tax_rows

_PAID = load_query(__file__, "paid_standalone_fees")


@dataclass(frozen=True, slots=True)
class Standalone:
    """A fee to be stored without invoice."""

    organization_id: uuid.UUID
    customer_id: uuid.UUID
    taxed: TaxedFee
    at: dt.datetime

    @property
    def currency(self) -> str:
        """Of the fee and its taxes."""
        return self.taxed.fee.currency


@dataclass(frozen=True, slots=True)
class Chain:
    """The rows of a customer's external id whose paid fees are brought together at `at`.

    `newest_id` is the row that goes on, or that ended last; with `ended_only` the usage period of a fee must be over.
    """

    newest_id: uuid.UUID
    at: dt.datetime
    ended_only: bool


@dataclass(frozen=True, slots=True)
class PaidFee:
    """A paid standalone fee of the chain whose newest row is `newest_id`; `purchase_order_number` is its own row's."""

    id: uuid.UUID
    newest_id: uuid.UUID
    subscription_id: uuid.UUID
    purchase_order_number: str | None
    currency: str
    amount_cents: int
    taxes_amount_cents: int


async def write(tx: Tx, fees: Sequence[Standalone]) -> None:
    """Store the fees with their taxes."""
    await copy(tx, "fees", [fee_row(fee, fee.taxed, fee.customer_id, None, "pending") for fee in fees])
    await copy(tx, "fee_taxes", [row for fee in fees for row in fee_tax_rows(fee, fee.taxed)])


async def announce(tx: Tx, fees: Sequence[Standalone]) -> None:
    """`fee.created` of each (webhooks.md §2.2, 26)."""
    await outbox.emit(tx, [Message(fee.organization_id, "fee.created", fee.taxed.fee.id, fee.at) for fee in fees])


async def billed_events(
    tx: Tx, events: Sequence[tuple[uuid.UUID, str]]
) -> set[tuple[uuid.UUID, str, uuid.UUID | None, uuid.UUID | None]]:
    """(subscription, transaction, charge, filter) that have a fee, of these (subscription, transaction) pairs.

    Deleted and voided fees count: an event is priced once for ever (invoicing.md §12).
    """
    rows = await tx.execute(
        select(Fee.subscription_id, Fee.event_transaction_id, Fee.charge_id, Fee.charge_filter_id).where(
            Fee.subscription_id == any_(cast([key for key, _ in events], ARRAY(UUID(as_uuid=True)))),
            Fee.event_transaction_id == any_(cast([transaction for _, transaction in events], ARRAY(Text))),
            Fee.purpose == Purpose.EVENT.value,
        )
    )
    return {
        (subscription_id, transaction, charge_id, filter_id)
        for subscription_id, transaction, charge_id, filter_id in rows
        if subscription_id is not None and transaction is not None
    }


async def paid_fees(tx: Tx, chains: Sequence[Chain]) -> list[PaidFee]:
    """What can be brought together for these chains, oldest first; fees are held (invoicing.md §13 step 1)."""
    rows = await tx.execute(
        _PAID,
        {
            "newest": [chain.newest_id for chain in chains],
            "instants": [chain.at for chain in chains],
            "ended": [chain.ended_only for chain in chains],
        },
    )
    return [PaidFee(*row) for row in rows]


async def taxes_of(tx: Tx, fee_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[FeeTax]]:
    """fee -> the taxes it was born with."""
    statement = select(FeeTax).where(FeeTax.fee_id == any_(cast(list(fee_ids), ARRAY(UUID(as_uuid=True)))))
    found: dict[uuid.UUID, list[FeeTax]] = {}
    for row in await tx.scalars(statement.order_by(FeeTax.created_at, FeeTax.id)):
        found.setdefault(row.fee_id, []).append(row)
    return found


async def put_on_invoices(tx: Tx, invoice_of: Sequence[tuple[uuid.UUID, uuid.UUID, dt.datetime]]) -> None:
    """Give (fee, invoice, instant) their invoices, which are written after them: issued lines are frozen."""
    await tx.execute(
        _PUT,
        {
            "fees": [fee_id for fee_id, _, _ in invoice_of],
            "invoices": [invoice_id for _, invoice_id, _ in invoice_of],
            "instants": [at for _, _, at in invoice_of],
        },
    )


_PUT = text("""
    update fees f set invoice_id = p.invoice_id, updated_at = p.at
    from unnest(cast(:fees as uuid[]), cast(:invoices as uuid[]), cast(:instants as timestamptz[]))
      as p(fee_id, invoice_id, at)
    where f.id = p.fee_id
""")
