"""`/api/v1/wallets` and a customer's wallets: prepaid credits (wallets.md §1)."""

from __future__ import annotations

from typing import Annotated, Any

from tallystick.api.call import Call
from tallystick.api.inputs import (
    Code,
    Codes,
    Currency,
    Flag,
    Input,
    Label,
    Moment,
    Number,
    Object,
    Objects,
    Shape,
    SmallWhole,
    Text,
    Whole,
)
from tallystick.api.paging import fetch_page
from tallystick.api.routes import LIST_QUERY, Routes
from tallystick.api.v1.invoice_custom_sections import SelectionInput
from tallystick.api.v1.subscriptions import OrderNumber
from tallystick.flows.lifecycle.wallets import create as creation
from tallystick.flows.lifecycle.wallets import update as edition
from tallystick.flows.wire.wallets import wallets
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.tables import Wallet
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.organizations import store as organizations
from tallystick.rooms.wallets import store, verbs
from tallystick.rooms.wallets.store import Filters

routes = Routes("wallet")

QUERY = ("currency", "billing_entity_codes[]")
#: an amount of credits: text, and nothing else (wallets.md §1.3)
Credits = Annotated[Any, Shape.ANY]


class LimitsInput(Input):
    """`applies_to`: what a wallet pays for."""

    fee_types: Codes = None
    billable_metric_codes: Codes = None


class WalletInput(Input):
    """Body of an update (wallets.md §1.1)."""

    name: Text = None
    code: Code = None
    priority: SmallWhole = None
    expiration_at: Moment = None
    invoice_requires_successful_payment: Flag = None
    paid_top_up_min_amount_cents: Whole = None
    paid_top_up_max_amount_cents: Whole = None
    applies_to: Annotated[LimitsInput | None, Shape.OBJECT] = None
    billing_entity_code: Label = None
    purchase_order_number: OrderNumber = None
    payment_method: Object = None
    invoice_custom_section: Annotated[SelectionInput | None, Shape.OBJECT] = None
    metadata: Object = None
    recurring_transaction_rules: Objects = None

    def fields(self) -> dict[str, Any]:
        """The fields that were sent, as flows take them."""
        given = self.given()
        for name in ("applies_to", "invoice_custom_section"):
            if (part := getattr(self, name)) is not None:
                given[name] = part.given()
        return given


class NewWalletInput(WalletInput):
    """Body of create, with the first credits (wallets.md §1.1, §1.3)."""

    external_customer_id: Label = None
    currency: Currency = None
    rate_amount: Number = None
    paid_credits: Credits = None
    granted_credits: Credits = None
    transaction_name: Annotated[Any, Shape.ANY] = None
    transaction_priority: SmallWhole = None
    transaction_metadata: Annotated[Any, Shape.ANY] = None
    ignore_paid_top_up_limits_on_creation: Flag = None


@routes.post("/wallets", root="wallet", model=NewWalletInput)
async def create(call: Call, tx: Tx) -> Any:
    """Create a wallet; the answer shows it before its first credits, which come with it."""
    given = call.read("wallet", NewWalletInput, drop_nulls=True)
    return await _create(call, tx, given.external_customer_id or "", given)


@routes.post("/customers/{external_id}/wallets", root="wallet", model=NewWalletInput)
async def create_of_customer(call: Call, tx: Tx) -> Any:
    """Create a wallet of a customer."""
    return await _create(call, tx, call.path("external_id"), call.read("wallet", NewWalletInput, drop_nulls=True))


async def _create(call: Call, tx: Tx, external_customer_id: str, given: NewWalletInput) -> Any:
    wallet, first = await creation.create(tx, call.organization_id, call.at, external_customer_id, given.fields())
    answer = await _shown(tx, wallet)
    await creation.fill(tx, first, call.at)
    return answer


@routes.get("/wallets", query=(*LIST_QUERY, "external_customer_id", *QUERY))
async def listing(call: Call, tx: Tx) -> Any:
    """List wallets, newest first."""
    return await _page(call, tx, call.text("external_customer_id"))


@routes.get("/customers/{external_id}/wallets", query=(*LIST_QUERY, *QUERY))
async def listing_of_customer(call: Call, tx: Tx) -> Any:
    """List the wallets of a customer, newest first."""
    return await _page(call, tx, call.path("external_id"))


@routes.get("/wallets/{id}")
async def show(call: Call, tx: Tx) -> Any:
    """Find a wallet."""
    return await _shown(tx, await by_id(call, tx))


@routes.get("/customers/{external_id}/wallets/{code}")
async def show_of_customer(call: Call, tx: Tx) -> Any:
    """Find a customer's wallet by its code, an active one before others."""
    return await _shown(tx, await of_customer(call, tx))


@routes.put("/wallets/{id}", root="wallet", model=WalletInput)
async def update(call: Call, tx: Tx) -> Any:
    """Change a wallet; rate and currency stay."""
    return await _update(call, tx, await by_id(call, tx))


@routes.put("/customers/{external_id}/wallets/{code}", root="wallet", model=WalletInput)
async def update_of_customer(call: Call, tx: Tx) -> Any:
    """Change a customer's wallet; rate and currency stay."""
    return await _update(call, tx, await of_customer(call, tx))


@routes.delete("/wallets/{id}")
async def destroy(call: Call, tx: Tx) -> Any:
    """Terminate a wallet; what is left in it is never used again."""
    return await _terminate(call, tx, await by_id(call, tx))


@routes.delete("/customers/{external_id}/wallets/{code}")
async def destroy_of_customer(call: Call, tx: Tx) -> Any:
    """Terminate a customer's wallet; what is left in it is never used again."""
    return await _terminate(call, tx, await of_customer(call, tx))


async def by_id(call: Call, tx: Tx) -> Wallet:
    """The wallet that the path names by its id."""
    return await verbs.find(tx, call.organization_id, call.path("id"))


async def of_customer(call: Call, tx: Tx) -> Wallet:
    """The wallet that the path names by customer and code."""
    customer = await customers.find(tx, call.organization_id, call.path("external_id"))
    return await verbs.find_of_customer(tx, customer, call.path("code"))


async def _update(call: Call, tx: Tx, found: Wallet) -> Any:
    wallet = await edition.lock(tx, found)
    await edition.update(tx, wallet, call.at, call.read("wallet", WalletInput).fields())
    return await _shown(tx, wallet)


async def _terminate(call: Call, tx: Tx, found: Wallet) -> Any:
    wallet = await edition.lock(tx, found)
    await verbs.terminate(tx, [wallet], call.at)
    return await _shown(tx, wallet)


async def _shown(tx: Tx, wallet: Wallet) -> Any:
    return {"wallet": (await wallets(tx, [wallet]))[0]}


async def _page(call: Call, tx: Tx, external_customer_id: str | None) -> Any:
    customer = None
    if external_customer_id is not None:
        customer = await customers.find(tx, call.organization_id, external_customer_id)
    codes = call.texts("billing_entity_codes")
    entities = await organizations.entities_by_code(tx, call.organization_id, codes, archived=True) if codes else {}
    if not set(codes) <= set(entities):
        raise NotFound("billing_entity")
    filters = Filters(
        customer_id=customer.id if customer else None,
        currency=call.text("currency"),
        billing_entity_ids=[entity.id for entity in entities.values()] if codes else None,
    )
    rows, meta = await fetch_page(tx, store.listing(call.organization_id, filters), call.page)
    return {"wallets": await wallets(tx, rows), "meta": meta}
