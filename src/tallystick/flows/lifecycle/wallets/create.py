"""A new wallet, and its first credits in the same transaction (wallets.md §1, §1.3)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from tallystick.flows.billing.wallets.top_up import TopUp, top_up
from tallystick.flows.lifecycle import custom_sections
from tallystick.flows.lifecycle.wallets import references
from tallystick.ground.db import Tx
from tallystick.ground.errors import Invalid, Problems
from tallystick.ground.tables import Customer, Wallet
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.customers import store as customer_store
from tallystick.rooms.customers import verbs as customers
from tallystick.rooms.wallets import store, terms, verbs
from tallystick.rooms.wallets.ledger import Terms

Fields = Mapping[str, Any]
MOST_PAIRS = 5


async def create(
    tx: Tx, organization_id: uuid.UUID, at: dt.datetime, external_customer_id: str, fields: Fields
) -> tuple[Wallet, TopUp]:
    """A wallet without credits, and the first ones that it shall have; `top_up` gives them.

    422 of wallets.md §1.1 and §1.3, `customer_not_found` among them; 404 `billing_entity_not_found`,
    `invoice_custom_section_not_found`.
    """
    customer = await customer_store.find(tx, organization_id, external_customer_id, lock=True)
    if customer is None:
        raise Invalid.field("customer", "customer_not_found")
    references.refuse_rules(fields)
    problems = Problems()
    given = await references.columns(tx, organization_id, fields, problems)
    limits = fields.get("applies_to") or {}
    metric_ids = await references.metrics(tx, organization_id, limits)
    if metric_ids is None or references.unknown_fee_types(limits):
        problems.add("applies_to", "invalid_limitations")
    given["fee_types"] = limits.get("fee_types")
    currency = fields.get("currency") or customer.currency
    wallet = await verbs.draft(tx, customer, at, currency, given, problems)
    first = _first(wallet, customer, fields, problems)
    problems.raise_if_any()
    await verbs.add(tx, wallet)
    await store.replace_targets(tx, wallet, metric_ids or (), at)
    selection = custom_sections.selection(fields)
    await custom_sections.choose(tx, organization_id, Owner.WALLET, wallet.id, selection, at)
    await customers.prefer_currencies(tx, {customer.id: wallet.currency}, at)
    return wallet, first


async def fill(tx: Tx, first: TopUp, at: dt.datetime) -> None:
    """Give a new wallet its first credits."""
    await top_up(tx, [first], at)


def _first(wallet: Wallet, customer: Customer, fields: Fields, problems: Problems) -> TopUp:
    paid, granted = (terms.credits_of(fields, name, problems) for name in ("paid_credits", "granted_credits"))
    priority = fields.get("transaction_priority")
    pairs = fields.get("transaction_metadata")
    terms.check_pairs(pairs, MOST_PAIRS, problems)
    terms.check_name(fields.get("transaction_name"), problems)
    if priority is not None:
        terms.check_priority(priority, problems)
    own = Terms(
        priority=priority or terms.MOST_PRIORITY,
        name=fields.get("transaction_name"),
        metadata=pairs or (),
        invoice_requires_successful_payment=wallet.invoice_requires_successful_payment,
        payment_method_type=wallet.payment_method_type,
    )
    issuer_id = wallet.billing_entity_id or customer.billing_entity_id
    if problems.details:
        # what credits come to is told only for a wallet that can be
        return TopUp(wallet, issuer_id, None, None, own)
    bought = terms.worth_of(wallet, paid, "paid_credits", problems)
    if not fields.get("ignore_paid_top_up_limits_on_creation"):
        terms.check_limits(wallet, bought, problems)
    return TopUp(wallet, issuer_id, bought, terms.worth_of(wallet, granted, "granted_credits", problems), own)
