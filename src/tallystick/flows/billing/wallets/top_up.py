"""Credits for wallets: granted ones are usable at once, bought ones once their invoice is paid (wallets.md §3, §4)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.core.explain import top_up_trace
from tallystick.core.invoice import FeeDraft, FeeType, compose
from tallystick.core.issuing import invoice_dates
from tallystick.core.money import precise
from tallystick.core.periods import local_date
from tallystick.core.wallets import Worth
from tallystick.flows.billing.compose import Draft, Header
from tallystick.flows.billing.load import load_customers, load_issuers
from tallystick.flows.billing.sections import Choice
from tallystick.flows.billing.write import write
from tallystick.ground.db import Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import Wallet
from tallystick.rooms.custom_sections import store as sections
from tallystick.rooms.custom_sections.store import Owner
from tallystick.rooms.wallets import ledger
from tallystick.rooms.wallets.ledger import Movement, Terms


@dataclass(frozen=True, slots=True)
class TopUp:
    """Credits that a wallet of a locked customer shall have: bought, granted or both.

    `choice`: the custom sections that the request wants on the invoice, None for those of the wallet.
    """

    wallet: Wallet
    issuer_id: uuid.UUID
    paid: Worth | None
    granted: Worth | None
    terms: Terms
    choice: Choice | None = None


async def top_up(tx: Tx, wanted: Sequence[TopUp], at: dt.datetime) -> list[uuid.UUID]:
    """Make the transactions and the invoices of those that are bought; returns the ids of the transactions."""
    movements = [(one, _movement(one, kind, worth, at)) for one in wanted for kind, worth in _parts(one)]
    await ledger.record(tx, [movement for _, movement in movements])
    await _invoice(tx, [(one, movement) for one, movement in movements if movement.kind == "purchased"], at)
    return [movement.id for _, movement in movements]


def _parts(one: TopUp) -> list[tuple[str, Worth]]:
    parts = (("purchased", one.paid), ("granted", one.granted))
    return [(kind, worth) for kind, worth in parts if worth is not None]


def _movement(one: TopUp, kind: str, worth: Worth, at: dt.datetime) -> Movement:
    skips = one.choice is not None and one.choice.skips
    terms = replace(one.terms, billing_entity_id=one.issuer_id, skip_invoice_custom_sections=skips)
    return Movement(one.wallet.organization_id, one.wallet.id, kind, worth, at, terms=terms)


async def _invoice(tx: Tx, purchases: Sequence[tuple[TopUp, Movement]], at: dt.datetime) -> None:
    """One invoice for each purchase, with nothing but the credits on it (invoicing.md §14)."""
    if not purchases:
        return
    customers = await load_customers(tx, {one.wallet.customer_id for one, _ in purchases})
    issuers = await load_issuers(tx, {one.issuer_id for one, _ in purchases})
    selected = await sections.of_owners(tx, Owner.WALLET, [one.wallet.id for one, _ in purchases])
    await _select(tx, purchases, at)
    drafts = []
    for one, movement in purchases:
        wallet = one.wallet
        choice = one.choice or Choice(
            wallet.skip_invoice_custom_sections, tuple(found.section for found in selected.get(wallet.id, ()))
        )
        header = Header(
            organization_id=wallet.organization_id,
            customer=customers[wallet.customer_id],
            issuer=issuers[one.issuer_id],
            invoice_type="credit",
            currency=wallet.currency,
            purchase_order_number=one.terms.purchase_order_number or wallet.purchase_order_number,
            at=at,
            sections=choice,
        )
        drafts.append(_draft(header, wallet, movement))
    documents = await write(tx, drafts)
    await ledger.bill(tx, {movement.id: item.id for (_, movement), item in zip(purchases, documents, strict=True)})


async def _select(tx: Tx, purchases: Sequence[tuple[TopUp, Movement]], at: dt.datetime) -> None:
    """Purchases keep the sections that their requests chose."""
    for organization_id in {one.wallet.organization_id for one, _ in purchases}:
        wanted = {
            movement.id: [section.id for section in one.choice.sections]
            for one, movement in purchases
            if one.choice and one.wallet.organization_id == organization_id
        }
        if wanted:
            await sections.replace_links(tx, organization_id, Owner.WALLET_TRANSACTION, wanted, at)


def _draft(header: Header, wallet: Wallet, movement: Movement) -> Draft:
    """Issued at once, or invisible until it is paid when the purchase asks for that."""
    worth = movement.worth
    name = movement.terms.name or (f"Prepaid credits - {wallet.name}" if wallet.name else "Prepaid credits")
    fee = FeeDraft(
        id=new_id(),
        subscription_id=None,
        fee_type=FeeType.CREDIT,
        currency=wallet.currency,
        amount_cents=worth.amount_cents,
        precise_amount_cents=precise(Decimal(worth.amount_cents)),
        units=worth.credit_amount,
        unit_amount=precise(wallet.rate_amount),
        taxes=(),
        invoice_display_name=name,
        trace=top_up_trace(worth.credit_amount, wallet.rate_amount, worth.amount_cents),
    )
    terms = header.customer
    dates = invoice_dates(local_date(header.at, terms.timezone), terms, graced=False, recurring=False)
    status = "open" if movement.terms.invoice_requires_successful_payment else "finalized"
    return Draft(header, compose([fee]), dates, status)
