"""`…/wallets/{id}/metadata`, by id and by a customer's code (api.md §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.api.call import Call
from tallystick.api.metadata import MetadataInput, sent_metadata
from tallystick.api.routes import Routes
from tallystick.api.v1.wallets import by_id, of_customer
from tallystick.flows.lifecycle.wallets.update import lock
from tallystick.ground.db import Tx
from tallystick.ground.errors import NotFound
from tallystick.ground.tables import Wallet
from tallystick.rooms.wallets import verbs

routes = Routes("wallet")

OF_WALLET = "/wallets/{id}/metadata"
OF_CUSTOMER = "/customers/{external_id}/wallets/{code}/metadata"


@routes.post(OF_WALLET, model=MetadataInput)
async def replace(call: Call, tx: Tx) -> Any:
    """Replace the metadata of a wallet."""
    return await _store(call, tx, await by_id(call, tx), sent_metadata(call))


@routes.post(OF_CUSTOMER, model=MetadataInput)
async def replace_of_customer(call: Call, tx: Tx) -> Any:
    """Replace the metadata of a customer's wallet."""
    return await _store(call, tx, await of_customer(call, tx), sent_metadata(call))


@routes.put(OF_WALLET, model=MetadataInput)
async def merge(call: Call, tx: Tx) -> Any:
    """Merge entries into the metadata of a wallet."""
    return await _merge(call, tx, await by_id(call, tx))


@routes.put(OF_CUSTOMER, model=MetadataInput)
async def merge_of_customer(call: Call, tx: Tx) -> Any:
    """Merge entries into the metadata of a customer's wallet."""
    return await _merge(call, tx, await of_customer(call, tx))


@routes.delete(OF_WALLET)
async def destroy(call: Call, tx: Tx) -> Any:
    """Remove all metadata of a wallet."""
    return await _remove(call, tx, await by_id(call, tx))


@routes.delete(OF_CUSTOMER)
async def destroy_of_customer(call: Call, tx: Tx) -> Any:
    """Remove all metadata of a customer's wallet."""
    return await _remove(call, tx, await of_customer(call, tx))


@routes.delete(f"{OF_WALLET}/{{key}}")
async def destroy_key(call: Call, tx: Tx) -> Any:
    """Remove one entry of the metadata of a wallet."""
    return await _remove_key(call, tx, await by_id(call, tx))


@routes.delete(f"{OF_CUSTOMER}/{{key}}")
async def destroy_key_of_customer(call: Call, tx: Tx) -> Any:
    """Remove one entry of the metadata of a customer's wallet."""
    return await _remove_key(call, tx, await of_customer(call, tx))


async def _merge(call: Call, tx: Tx, found: Wallet) -> Any:
    wallet = await lock(tx, found)
    sent = sent_metadata(call)
    return await _store(call, tx, wallet, {**(wallet.metadata_ or {}), **sent} if sent else None)


async def _remove(call: Call, tx: Tx, found: Wallet) -> Any:
    wallet = await lock(tx, found)
    await verbs.replace_metadata(tx, wallet, None, call.at)
    return {"metadata": None}


async def _remove_key(call: Call, tx: Tx, found: Wallet) -> Any:
    wallet = await lock(tx, found)
    if wallet.metadata_ is None:
        raise NotFound("metadata")
    key = call.path("key")
    rest = {name: value for name, value in wallet.metadata_.items() if name != key}
    return await _store(call, tx, wallet, rest)


async def _store(call: Call, tx: Tx, found: Wallet, entries: Mapping[str, Any] | None) -> Any:
    """Without entries nothing changes."""
    wallet = await lock(tx, found)
    if entries is not None:
        await verbs.replace_metadata(tx, wallet, entries, call.at)
    return {"metadata": wallet.metadata_}
