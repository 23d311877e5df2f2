"""Credit notes in numbers (credits.md §3): what one is worth, how far it may go, and how invoices use it up.

Amounts are minor units. It does not know where invoices and notes come from, nor who asks for one.
"""

from tallystick.core.credit_note.amounts import (
    NoteAmounts,
    NotedInvoice,
    NoteFee,
    NoteItem,
    NoteTax,
    Parts,
    adjusted,
    amounts_of,
    spread,
)
from tallystick.core.credit_note.consumption import AvailableNote, Consumption, consume
from tallystick.core.credit_note.limits import (
    Estimate,
    creditable_cents,
    due_cents,
    estimate,
    refundable_cents,
    refusals,
)
from tallystick.core.credit_note.unused import Mode, UnusedTime, divided, unused_item

__all__ = [
    "AvailableNote",
    "Consumption",
    "Estimate",
    "Mode",
    "NoteAmounts",
    "NoteFee",
    "NoteItem",
    "NoteTax",
    "NotedInvoice",
    "Parts",
    "UnusedTime",
    "adjusted",
    "amounts_of",
    "consume",
    "creditable_cents",
    "divided",
    "due_cents",
    "estimate",
    "refundable_cents",
    "refusals",
    "spread",
    "unused_item",
]
