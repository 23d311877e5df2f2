"""Why a subscription is billed at an instant. What that means in windows and fees is decided by `flows/billing/due`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """`invoicing_reason` of a billing period (invoicing.md §1)."""

    STARTING = "subscription_starting"
    PERIODIC = "subscription_periodic"
    TERMINATING = "subscription_terminating"
    IN_ADVANCE_CHARGE = "in_advance_charge"
    #: paid standalone fees brought together on one invoice (invoicing.md §13)
    IN_ADVANCE_CHARGE_PERIODIC = "in_advance_charge_periodic"
    #: usage reached a threshold within its period (subscriptions.md §5)
    PROGRESSIVE = "progressive_billing"


@dataclass(frozen=True, slots=True)
class Occasion:
    """A subscription to be billed at the domain instant `at`.

    Occasions with the same `together` share one invoice (an upgrade's old and new row, invoicing.md §1); None leaves it
    to the rules of a tick (subscriptions.md §6.2).
    """

    subscription_id: UUID
    reason: Reason
    at: datetime
    together: UUID | None = None
