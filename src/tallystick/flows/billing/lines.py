"""All fees of a set of bills in the order of invoicing.md §3: plan, usage, fixed charges, commitment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from tallystick.core.contract import ChargeTerms
from tallystick.core.invoice import FeeDraft
from tallystick.flows.billing.commitments import commitment_fees
from tallystick.flows.billing.corrections import corrections
from tallystick.flows.billing.due import Bill, billed_charges
from tallystick.flows.billing.fixed import fixed_fees
from tallystick.flows.billing.meter import measure
from tallystick.flows.billing.rate import Rater
from tallystick.ground.db import Tx


async def fees_of(
    tx: Tx,
    bills: Sequence[Bill],
    *,
    draft_ids: Sequence[UUID | None] | None = None,
    charges_of: Callable[[Bill], Iterable[ChargeTerms]] = billed_charges,
) -> list[list[FeeDraft]]:
    """For each bill its fees. `draft_ids` name the drafts that are made again: their own fees are not seen."""
    own = draft_ids or [None] * len(bills)
    corrected = await corrections(tx, own)
    usages = await measure(tx, bills, charges_of)
    rater = Rater()
    # in this order: invoices list fees as they were made
    rated = [rater.fees(bill, usage, corrected=of) for bill, usage, of in zip(bills, usages, corrected, strict=True)]
    fixed = await fixed_fees(tx, bills, own)
    fees = [
        [*found, *of.fixed(bill, more)] for bill, found, more, of in zip(bills, rated, fixed, corrected, strict=True)
    ]
    missing = await commitment_fees(tx, bills, fees, own)
    return [
        [*found, of.line(extra)] if extra is not None else found
        for found, extra, of in zip(fees, missing, corrected, strict=True)
    ]
