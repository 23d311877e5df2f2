"""The taxes of any owners as they are shown inside of them (api.md §15.2). Changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from tallystick.ground.db import Tx
from tallystick.rooms.taxes import store, views
from tallystick.rooms.taxes.store import Owner


async def taxes_of(tx: Tx, kind: Owner, owner_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """owner -> rendered taxes, owners without any are absent; each tax is rendered once."""
    by_owner = await store.of_owners(tx, kind, owner_ids)
    distinct = {tax.id: tax for taxes in by_owner.values() for tax in taxes}
    rendered = dict(zip(distinct, await views.taxes(tx, list(distinct.values())), strict=True))
    return {owner: [rendered[tax.id] for tax in taxes] for owner, taxes in by_owner.items()}
