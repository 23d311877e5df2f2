"""Corrections by hand in the billing pipeline: a draft that is made again keeps them (invoicing.md §10).

What a correction does to a line is `core/adjusting`; who may correct is `adjust`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from tallystick.core.adjusting import Anew, adjusted, anew
from tallystick.core.invoice import FeeDraft
from tallystick.core.pricing_units import PricingUnitTerms
from tallystick.core.rating import tariff
from tallystick.flows.billing.due import Bill
from tallystick.ground.db import Tx
from tallystick.rooms.invoices import adjustments
from tallystick.rooms.invoices.adjustments import Adjustments, line_of_draft


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected lines of one draft."""

    lines: Adjustments = field(default_factory=dict)

    def has(self, fee: FeeDraft) -> bool:
        """Whether the line is corrected."""
        return bool(self.lines) and line_of_draft(fee) in self.lines

    def line(self, fee: FeeDraft, rate: Anew | None = None, unit: PricingUnitTerms | None = None) -> FeeDraft:
        """The line as it was corrected, or as it is; `rate` prices other units of a charge."""
        return adjusted(fee, self.lines[line_of_draft(fee)], rate, unit) if self.has(fee) else fee

    def fixed(self, bill: Bill, fees: Sequence[FeeDraft]) -> list[FeeDraft]:
        """The fees of fixed charges of a bill, corrected where they are."""
        return [self.line(fee, self._rate(bill, fee)) if self.has(fee) else fee for fee in fees]

    def _rate(self, bill: Bill, fee: FeeDraft) -> Anew:
        plan = bill.contract.plan
        charge = next(one for one in plan.fixed_charges if one.id == fee.fixed_charge_id)
        found = tariff(charge.model, charge.properties, prorated=charge.prorated, currency=plan.currency)
        return anew(found, None, plan.currency)


NOTHING_CORRECTED = Corrected()


async def corrections(tx: Tx, draft_ids: Sequence[UUID | None]) -> list[Corrected]:
    """For each bill the corrections of the draft that it makes again; nothing for new invoices."""
    drafts = [draft_id for draft_id in draft_ids if draft_id is not None]
    found = await adjustments.of_drafts(tx, drafts) if drafts else {}
    return [
        Corrected(found[draft_id]) if draft_id is not None and draft_id in found else NOTHING_CORRECTED
        for draft_id in draft_ids
    ]
