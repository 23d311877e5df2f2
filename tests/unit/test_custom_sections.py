"""Which custom sections an invoice carries: the table of invoicing.md §20."""

from __future__ import annotations

from uuid import UUID

import pytest

from tallystick.core.custom_sections import CustomerVoice, Voice, applicable

A, B, C, D, E = (UUID(int=number) for number in range(1, 6))
ENTITY = (E,)
SKIPS = Voice(skips=True, sections=(A,))
SILENT = Voice()
OWN = Voice(sections=(A, B))


@pytest.mark.parametrize(
    ("resources", "customer", "wanted"),
    [
        # nobody is asked but the customer
        ((), CustomerVoice(), (E,)),
        ((), CustomerVoice(manual=(C,)), (C,)),
        ((), CustomerVoice(manual=(C,), generated=(D,)), (C, D)),
        ((), CustomerVoice(generated=(D,)), (E, D)),
        ((), CustomerVoice(skips=True, manual=(C,), generated=(D,)), ()),
        # resources that skip are left out; when all do, there is none
        ((SKIPS,), CustomerVoice(manual=(C,), generated=(D,)), ()),
        ((SKIPS, SILENT), CustomerVoice(manual=(C,)), (C,)),
        ((SKIPS, OWN), CustomerVoice(manual=(C,)), (A, B)),
        # their own selections together, plus the customer's where some have none
        ((OWN, Voice(sections=(B, C))), CustomerVoice(), (A, B, C)),
        ((OWN, SILENT), CustomerVoice(manual=(C,)), (A, B, C)),
        ((OWN, SILENT), CustomerVoice(), (A, B, E)),
        # a customer that skips does not silence what a resource selected
        ((OWN,), CustomerVoice(skips=True), (A, B)),
        ((OWN, SILENT), CustomerVoice(skips=True, manual=(C,)), (A, B)),
        ((SILENT,), CustomerVoice(skips=True, manual=(C,)), ()),
        ((OWN,), CustomerVoice(generated=(D,)), (A, B, D)),
    ],
)
def test_sections_of_an_invoice(
    resources: tuple[Voice, ...], customer: CustomerVoice, wanted: tuple[UUID, ...]
) -> None:
    assert applicable(resources, customer, ENTITY) == wanted
