"""What a usage query asks for: which charges, which events, in which groups, from when on (metering.md §7.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallystick.core.aggregate import without_groups
from tallystick.core.contract import ChargeTerms, Contract
from tallystick.core.windows import Window, Windows
from tallystick.flows.billing.meter import Narrowing
from tallystick.ground.errors import NotAllowed, NotFound

Chosen = Callable[[ChargeTerms], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A usage query; the defaults ask for everything.

    `chosen` keeps some charges, `group` some events: those that have one of the texts in each property, which then is
    no group key any more. `presented` keeps some presentation keys. `full` reaches back to the start.
    """

    chosen: Chosen | None = None
    group: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip_grouping: bool = False
    presented: Collection[str] | None = None
    full: bool = False

    @property
    def narrowing(self) -> Narrowing:
        """What metering leaves out."""
        return Narrowing(self.group, self.presented)

    def charges(self, contract: Contract) -> Sequence[ChargeTerms]:
        """The charges, grouped as asked: all by metric name, chosen ones in their own order.

        404 `charge_not_found` when nothing is chosen, 405 `full_usage_not_allowed`.
        """
        charges = list(contract.plan.charges)
        if self.chosen is None:
            charges.sort(key=lambda charge: charge.metric.name.lower())
        else:
            charges = [charge for charge in charges if self.chosen(charge)]
            if not charges:
                raise NotFound("charge")
        narrowed = self.chosen is not None or bool(self.group)
        if self.full and (not narrowed or any(charge.prorated for charge in charges)):
            raise NotAllowed("full_usage_not_allowed")
        return [self._grouped(charge) for charge in charges]

    def windows(self, contract: Contract, running: Windows) -> Windows:
        """The running period, or all the time from the start to its end."""
        if not self.full:
            return running
        assert running.charges is not None
        assert contract.started_at is not None
        return replace(running, charges=Window(contract.started_at, running.charges.end_at))

    def _grouped(self, charge: ChargeTerms) -> ChargeTerms:
        if self.skip_grouping:
            return without_groups(charge)
        return without_groups(charge, self.group) if self.group else charge


EVERYTHING = Asked()
