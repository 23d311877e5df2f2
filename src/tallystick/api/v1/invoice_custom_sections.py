"""`/api/v1/invoice_custom_sections`: texts that sellers print on their invoices (invoicing.md §20, design §7.13)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Code, Codes, Flag, Input, Label, Text, up_to
from tallystick.api.issuers import MAX_NAME
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid
from tallystick.rooms.custom_sections import store, verbs, views

routes = Routes("invoice_custom_section")

MAX_DETAILS = 10_000


class SectionInput(Input):
    """Body of create and update."""

    name: Annotated[Label, up_to(MAX_NAME)] = None
    code: Code = None
    description: Annotated[Text, up_to(MAX_NAME)] = None
    display_name: Annotated[Text, up_to(MAX_NAME)] = None
    details: Annotated[Text, up_to(MAX_DETAILS)] = None


class SelectionInput(Input):
    """`invoice_custom_section` of a subscription, a wallet or a one-off invoice."""

    skip_invoice_custom_sections: Flag = None
    invoice_custom_section_codes: Codes = None
    invoice_custom_section_ids: Codes = None

    def given(self) -> dict[str, Any]:
        """The selection; 422 `invoice_custom_sections` for one that contradicts itself."""
        check_selection(
            self.skip_invoice_custom_sections, self.invoice_custom_section_codes, self.invoice_custom_section_ids
        )
        return super().given()


def check_selection(skip: bool | None, codes: list[str] | None, ids: list[str] | None) -> None:
    """Sections are named by code or by id, and not while they are skipped (customers_entitlements.md §1.2)."""
    if codes and ids:
        raise Invalid.field("invoice_custom_sections", "section_ids_and_section_codes_sent_together")
    if (codes or ids) and skip:
        raise Invalid.field("invoice_custom_sections", "skip_sections_and_selected_ids_sent_together")


@routes.post("/invoice_custom_sections", root="invoice_custom_section", model=SectionInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a custom section."""
    fields = call.read("invoice_custom_section", SectionInput, drop_nulls=True).given()
    section = await verbs.create(tx, call.organization_id, call.at, fields)
    return {"invoice_custom_section": views.sections([section])[0]}


@routes.get("/invoice_custom_sections", query=LIST_QUERY)
async def listing(call: Call, tx: Tx) -> Any:
    """List custom sections by name."""
    rows, meta = await fetch_page(tx, store.listing(call.organization_id), call.page)
    return {"invoice_custom_sections": views.sections(rows), "meta": meta}


@routes.get("/invoice_custom_sections/{code}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a custom section by its code."""
    section = await verbs.find(tx, call.organization_id, call.path("code"))
    return {"invoice_custom_section": views.sections([section])[0]}


@routes.put("/invoice_custom_sections/{code}", root="invoice_custom_section", model=SectionInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a custom section; issued invoices keep what it said."""
    section = await verbs.find(tx, call.organization_id, call.path("code"))
    await verbs.update(tx, section, call.at, call.read("invoice_custom_section", SectionInput).given())
    return {"invoice_custom_section": views.sections([section])[0]}


@routes.delete("/invoice_custom_sections/{code}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Delete a custom section; nobody has it selected any more."""
    section = await verbs.find(tx, call.organization_id, call.path("code"))
    body = views.sections([section])[0]
    await verbs.delete(tx, section, call.at)
    return {"invoice_custom_section": body}
