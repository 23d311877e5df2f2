"""Changes of a wallet, and its end (wallets.md §1.4, §1.5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.flows.billing.run import lock_customers
from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle.wallets import references
from tallystick.ground.agenda import Due
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, Problems
from tallystick.ground.tables import Wallet
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.wallets import store, verbs

Fields = Mapping[str, Any]


async def lock(tx: Tx, wallet: Wallet) -> Wallet:
    """The wallet, locked after its customer."""
    await lock_customers(tx, [wallet.customer_id])
    return await verbs.find(tx, wallet.organization_id, str(wallet.id), lock=True)


async def update(tx: Tx, wallet: Wallet, at: dt.datetime, fields: Fields) -> None:
    """Change the given fields of a locked wallet; limits are kept unless `applies_to` is given.

    422 `wallet_is_terminated` and those of wallets.md §1.1; 404 `billing_entity_not_found`,
    `invoice_custom_section_not_found`.
    """
    verbs.check_active(wallet)
    references.refuse_rules(fields)
    problems = Problems()
    given = await references.columns(tx, wallet.organization_id, fields, problems)
    problems.raise_if_any()
    limits: Fields = fields.get("applies_to") or {}
    if "fee_types" in limits:
        if references.unknown_fee_types(limits):
            raise Invalid.field("allowed_fee_types", "invalid_fee_types")
        given["fee_types"] = limits["fee_types"]
    metric_ids = await references.metrics(tx, wallet.organization_id, limits)
    if metric_ids is None:
        raise Invalid.field("billable_metrics", "invalid_identifier")
    if "billable_metric_codes" in limits:
        await store.replace_targets(tx, wallet, metric_ids, at)
    selection = custom_sections.selection(fields)
    await custom_sections.choose(tx, wallet.organization_id, Owner.WALLET, wallet.id, selection, at)
    await verbs.update(tx, wallet, at, given)


async def expire_due(tx: Tx, dues: Sequence[Due]) -> None:
    """The time of these wallets is over (subscriptions.md §7)."""
    await verbs.expire(tx, {due.subject_id: due.due_at for due in dues})
