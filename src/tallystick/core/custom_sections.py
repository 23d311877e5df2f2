"""Which custom sections an invoice carries (invoicing.md §20): a rule over what its parties selected. No texts here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Voice:
    """A subscription, a wallet transaction or a one-off request: what it selected, or that it wants none."""

    skips: bool = False
    sections: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerVoice:
    """What the customer selected by hand, what the product wrote for it, or that it wants none."""

    skips: bool = False
    manual: tuple[UUID, ...] = ()
    generated: tuple[UUID, ...] = ()


def applicable(resources: Sequence[Voice], customer: CustomerVoice, of_entity: Sequence[UUID]) -> tuple[UUID, ...]:
    """The sections of an invoice over these resources, each once, in the order of selection.

    Resources that skip are left out, and when all do there is none. The customer's rule speaks for those that selected
    nothing: its manual sections, else the billing entity's. Generated sections follow wherever sections apply.
    """
    speaking = [one for one in resources if not one.skips]
    if resources and not speaking:
        return ()
    own = [section for one in speaking for section in one.sections]
    if customer.skips and not own:
        return ()
    asked = not resources or any(not one.sections for one in speaking)
    ruled = (customer.manual or tuple(of_entity)) if asked and not customer.skips else ()
    return tuple(dict.fromkeys([*own, *ruled, *customer.generated]))
