"""`/api/v1/wallet_transactions` and the transactions of a wallet (wallets.md §3, §5.3)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import Flag, Input, Label, Object, Shape, SmallWhole
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.invoice_custom_sections import SelectionInput
from tallystick.api.v1.subscriptions import OrderNumber
from tallystick.api.v1.wallets import Credits
from tallystick.flows.billing.wallets.move import move
from tallystick.flows.lifecycle.wallets import references
from tallystick.flows.lifecycle.wallets.update import lock
from tallystick.flows.wire.wallets import shown_transaction
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, Problems
from tallystick.ground.ids import parse_id
from tallystick.ground.tables import Wallet
from tallystick.rooms.wallets import store, verbs, views
from tallystick.rooms.wallets.store import TransactionFilters

routes = Routes("wallet_transaction")

#: what lists can be narrowed to; other values filter nothing
_CHOICES = {
    "status": ("pending", "settled", "failed"),
    "transaction_status": ("purchased", "granted", "voided", "invoiced"),
    "transaction_type": ("inbound", "outbound"),
}


class TransactionInput(Input):
    """Body of create (wallets.md §3.1)."""

    wallet_id: Label = None
    paid_credits: Credits = None
    granted_credits: Credits = None
    voided_credits: Credits = None
    voided_transaction_id: Label = None
    name: Annotated[Any, Shape.ANY] = None
    metadata: Annotated[Any, Shape.ANY] = None
    priority: SmallWhole = None
    invoice_requires_successful_payment: Flag = None
    ignore_paid_top_up_limits: Flag = None
    payment_method: Object = None
    invoice_custom_section: Annotated[SelectionInput | None, Shape.OBJECT] = None
    purchase_order_number: OrderNumber = None


@routes.post("/wallet_transactions", root="wallet_transaction", model=TransactionInput)
async def create(call: Call, tx: Tx) -> Any:
    """Buy, grant and void credits of a wallet: one transaction for each."""
    given = call.read("wallet_transaction", TransactionInput, drop_nulls=True)
    wallet = await _locked(call, tx, given.wallet_id or "")
    fields = given.given()
    if given.invoice_custom_section is not None:
        fields["invoice_custom_section"] = given.invoice_custom_section.given()
    problems = Problems()
    fields |= references.payment_method(fields, problems)
    problems.raise_if_any()
    choice = await references.choice(tx, call.organization_id, fields)
    rows = await move(tx, wallet, call.at, fields, choice)
    return {"wallet_transactions": await views.transactions(tx, rows)}


@routes.get("/wallet_transactions/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a transaction."""
    row = await verbs.find_transaction(tx, call.organization_id, call.path("id"))
    return {"wallet_transaction": await shown_transaction(tx, row)}


@routes.get("/wallets/{id}/wallet_transactions", query=(*LIST_QUERY, *_CHOICES))
async def listing(call: Call, tx: Tx) -> Any:
    """List the transactions of a wallet, newest first."""
    wallet = await verbs.find(tx, call.organization_id, call.path("id"))
    chosen = {name: text if (text := call.text(name)) in known else None for name, known in _CHOICES.items()}
    pairs = {key: value for key, value in call.mapping("metadata").items() if isinstance(value, str) and value}
    filters = TransactionFilters(metadata=pairs, **chosen)
    rows, meta = await fetch_page(tx, store.transactions_of(wallet.id, filters), call.page)
    return {"wallet_transactions": await views.transactions(tx, rows), "meta": meta}


@routes.get("/wallet_transactions/{id}/consumptions", query=LIST_QUERY)
async def consumptions(call: Call, tx: Tx) -> Any:
    """List what a top-up funded, newest first."""
    return await _links(call, tx, "inbound", "outbound_id", "wallet_transaction_consumptions")


@routes.get("/wallet_transactions/{id}/fundings", query=LIST_QUERY)
async def fundings(call: Call, tx: Tx) -> Any:
    """List the top-ups that funded what was spent, newest first."""
    return await _links(call, tx, "outbound", "inbound_id", "wallet_transaction_fundings")


async def _links(call: Call, tx: Tx, wanted: str, other: str, root: str) -> Any:
    row = await verbs.find_transaction(tx, call.organization_id, call.path("id"))
    if row.transaction_type != wanted:
        raise Invalid.field("transaction_type", "invalid_transaction_type")
    rows, meta = await fetch_page(tx, store.links_of(row), call.page)
    return {root: await views.links(tx, rows, other=other), "meta": meta}


async def _locked(call: Call, tx: Tx, wallet_id: str) -> Wallet:
    """The wallet that the body names, locked after its customer; 422 `wallet_not_found`."""
    known = parse_id(wallet_id)
    found = await store.wallet(tx, call.organization_id, known) if known else None
    if found is None:
        raise Invalid.field("wallet_id", "wallet_not_found")
    return await lock(tx, found)
