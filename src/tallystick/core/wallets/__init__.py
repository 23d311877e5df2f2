"""Prepaid credits: their worth, which wallets pay what of an invoice, which top-ups fund it (wallets.md §2, §5).

Ongoing balances and automatic top-ups are not decided here.
"""

from tallystick.core.wallets.allocation import (
    AvailableWallet,
    FeeKind,
    Part,
    Payment,
    Purse,
    pay,
)
from tallystick.core.wallets.amounts import Worth, consumed, credits_of, topped_up, voided
from tallystick.core.wallets.funding import Funding, Overdrawn, draw

__all__ = [
    "AvailableWallet",
    "FeeKind",
    "Funding",
    "Overdrawn",
    "Part",
    "Payment",
    "Purse",
    "Worth",
    "consumed",
    "credits_of",
    "draw",
    "pay",
    "topped_up",
    "voided",
]
