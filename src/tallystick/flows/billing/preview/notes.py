"""The credit notes of a preview: those a customer has, and those that an end or an upgrade would make (§18)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from tallystick.core.contract import UPGRADE, Contract
from tallystick.core.credit_note import AvailableNote, Mode
from tallystick.flows.billing.credit_notes.consumption import load_balances
from tallystick.flows.billing.credit_notes.unused import Ended, unused_time
from tallystick.flows.billing.preview.parties import Party
from tallystick.ground.db import Tx
from tallystick.ground.tables import Invoice, Subscription
from tallystick.rooms.invoices.credits import Item


@dataclass(frozen=True, slots=True)
class Notes:
    """What of credit notes an invoice may use; `items` names the notes that nobody has made."""

    available: Sequence[AvailableNote] = ()
    items: Mapping[uuid.UUID, Item] = field(default_factory=dict)


async def notes(tx: Tx, payer: Party, closed: Sequence[Contract], currency: str) -> Notes:
    """The notes of a known customer, with those for the unused time of contracts that end."""
    if not payer.known:
        return Notes()
    own = (await load_balances(tx, [payer.row.id])).notes(payer.row.id, currency)
    book = await unused_time(tx, await _ends(tx, closed))
    made = [note for note in book.notes if note.status == "finalized" and note.parts.credit_cents > 0]
    numbers = await _numbers(tx, {note.invoice_id for note in made})
    return Notes(
        [*own, *(AvailableNote(n.id, n.invoice_id, n.currency, n.parts.credit_cents, n.at) for n in made)],
        {note.id: Item(note.id, note.number, numbers[note.invoice_id], note.description) for note in made},
    )


async def _ends(tx: Tx, closed: Sequence[Contract]) -> list[Ended]:
    """Upgrades credit the unused time; other ends do what the subscription asks for. Downgrades wait for the period."""
    ids = [contract.subscription_id for contract in closed]
    statement = select(Subscription.id, Subscription.on_termination_credit_note).where(Subscription.id.in_(ids))
    asked = {row.id: row.on_termination_credit_note for row in await tx.execute(statement)}
    ends = []
    for contract in closed:
        assert contract.terminated_at is not None
        upgraded = contract.replaced_by == UPGRADE
        if upgraded or contract.replaced_by is None:
            mode = Mode.CREDIT if upgraded else Mode(asked.get(contract.subscription_id) or Mode.SKIP)
            ends.append(Ended(contract.subscription_id, contract.terminated_at, mode, upgraded))
    return ends


async def _numbers(tx: Tx, invoice_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = await tx.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(invoice_ids)))
    return {row.id: row.number for row in rows}
