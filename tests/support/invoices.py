"""Invoices and fees written straight to the tables, as billing leaves them: lines first, their header last."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from itertools import count
from typing import Any

from tallystick.ground.db import Database, Tx
from tallystick.ground.ids import new_id
from tallystick.ground.tables import (
    BillableMetric,
    Charge,
    ChargeFilter,
    Fee,
    FeeTax,
    Invoice,
    InvoiceSubscription,
    InvoiceTax,
    Payment,
    Plan,
    Subscription,
)
from tests.support.api import Api

BILLED_AT = dt.datetime(2025, 6, 1, 0, 10, tzinfo=dt.UTC)
FROM_AT = dt.datetime(2025, 5, 11, tzinfo=dt.UTC)
TO_AT = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)


class Books:
    """A customer with one subscription on a plan with one charge; `invoice` and `fee` write what was billed."""

    def __init__(self, database: Database, organization_id: uuid.UUID, name: str = "acme") -> None:
        self.database = database
        self.organization_id = organization_id
        self.name = name
        self.numbers = count(1)

    @classmethod
    async def of(cls, database: Database, api: Api, name: str = "acme") -> Books:
        """The books of a new customer in the organization of `api`."""
        books = cls(database, uuid.UUID(api.organization["lago_id"]), name)
        made = api.post(
            "/customers", {"customer": {"external_id": name, "name": name.title(), "email": f"{name}@x.test"}}
        )
        books.customer_id = uuid.UUID(made["customer"]["lago_id"])
        async with database.begin() as tx:
            await books._catalog(tx)
        return books

    customer_id: uuid.UUID

    async def _catalog(self, tx: Tx) -> None:
        own: dict[str, Any] = {"organization_id": self.organization_id, "created_at": FROM_AT, "updated_at": FROM_AT}
        metric = BillableMetric(
            **own, id=new_id(), code=f"{self.name}-calls", name="Calls", description="d", aggregation_type="count_agg"
        )
        plan = Plan(
            **own,
            id=new_id(),
            code=f"{self.name}-basic",
            name="Basic",
            invoice_display_name="Basic plan",
            interval="monthly",
            amount_cents=3100,
            amount_currency="EUR",
        )
        tx.add_all([metric, plan])
        await tx.flush()
        charge = Charge(
            **own, id=new_id(), plan_id=plan.id, billable_metric_id=metric.id, code="calls", charge_model="standard"
        )
        subscription = Subscription(
            **own,
            id=new_id(),
            customer_id=self.customer_id,
            plan_id=plan.id,
            external_id=f"{self.name}-sub",
            status="active",
            billing_time="calendar",
            subscription_at=FROM_AT,
            started_at=FROM_AT,
        )
        tx.add_all([charge, subscription])
        await tx.flush()
        chosen = ChargeFilter(
            **own,
            id=new_id(),
            charge_id=charge.id,
            values={"region": ["us", "eu"], "tier": ["__ALL_FILTER_VALUES__"]},
            properties={},
            position=0,
        )
        tx.add(chosen)
        self.metric_id, self.plan_id, self.charge_id = metric.id, plan.id, charge.id
        self.subscription_id, self.filter_id = subscription.id, chosen.id

    def fee(self, cents: int, **own: Any) -> Fee:
        """A plan fee of the subscription for the last days of May, or what `own` makes of it."""
        row: dict[str, Any] = {
            "id": new_id(),
            "organization_id": self.organization_id,
            "customer_id": self.customer_id,
            "subscription_id": self.subscription_id,
            "fee_type": "subscription",
            "currency": "EUR",
            "amount_cents": cents,
            "precise_amount_cents": Decimal(cents),
            "units": Decimal(1),
            "precise_unit_amount": Decimal(cents) / 100,
            "period_from_at": FROM_AT,
            "period_to_at": TO_AT,
            "created_at": BILLED_AT,
            "updated_at": BILLED_AT,
        }
        return Fee(**{**row, **own})

    def usage(self, cents: int, **own: Any) -> Fee:
        """A usage fee of the charge."""
        usual: dict[str, Any] = {
            "fee_type": "charge",
            "charge_id": self.charge_id,
            "units": Decimal(4),
            "total_aggregated_units": Decimal(4),
            "events_count": 4,
        }
        return self.fee(cents, **{**usual, **own})

    def header(self, fees: list[Fee], **own: Any) -> Invoice:
        """An issued invoice over these fees and their taxes."""
        amount, taxes = sum(fee.amount_cents for fee in fees), sum(fee.taxes_amount_cents or 0 for fee in fees)
        number = next(self.numbers)
        row: dict[str, Any] = {
            "id": new_id(),
            "organization_id": self.organization_id,
            "customer_id": self.customer_id,
            "billing_entity_id": self.organization_id,
            "invoice_type": "subscription",
            "status": "finalized",
            "number": f"{self.name.upper()}-{number:03d}",
            "sequential_id": number,
            "currency": "EUR",
            "timezone": "UTC",
            "issuing_date": dt.date(2025, 6, 1),
            "expected_finalization_date": dt.date(2025, 6, 1),
            "payment_due_date": dt.date(2025, 7, 1),
            "net_payment_term": 30,
            "fees_amount_cents": amount,
            "sub_total_excluding_taxes_amount_cents": amount,
            "taxes_amount_cents": taxes,
            "sub_total_including_taxes_amount_cents": amount + taxes,
            "total_amount_cents": amount + taxes,
            "finalized_at": BILLED_AT,
            "created_at": BILLED_AT,
            "updated_at": BILLED_AT,
        }
        return Invoice(**{**row, **own})

    def period(self, invoice: Invoice, **own: Any) -> InvoiceSubscription:
        """The billing period of the subscription on the invoice."""
        row: dict[str, Any] = {
            "id": new_id(),
            "organization_id": self.organization_id,
            "invoice_id": invoice.id,
            "subscription_id": self.subscription_id,
            "invoicing_reason": "subscription_periodic",
            "recurring": True,
            "billing_at": BILLED_AT,
            "billing_on": BILLED_AT.date(),
            "timezone": "UTC",
            "plan_fee_due": True,
            "plan_from_at": FROM_AT,
            "plan_to_at": TO_AT,
            "plan_full_days": 31,
            "charges_full_days": 31,
            "fixed_charges_full_days": 31,
            "created_at": BILLED_AT,
        }
        return InvoiceSubscription(**{**row, **own})

    async def invoice(self, fees: list[Fee], *, period: bool = True, **own: Any) -> Invoice:
        """Store an invoice over these fees."""
        async with self.database.begin() as tx:
            return await self.write(tx, fees, period=period, **own)

    async def write(self, tx: Tx, fees: list[Fee], *, period: bool = True, **own: Any) -> Invoice:
        """Store an invoice in this transaction: lines, then header."""
        header = self.header(fees, **own)
        for fee in fees:
            fee.invoice_id = header.id
        tx.add_all(fees)
        await tx.flush()
        if period:
            tx.add(self.period(header))
            await tx.flush()
        if header.taxes_amount_cents:
            tx.add(self.invoice_tax(header))
            await tx.flush()
        if (header.total_paid_amount_cents or 0) > 0:
            tx.add(self.payment(header))
            await tx.flush()
        tx.add(header)
        await tx.flush()
        return header

    def payment(self, header: Invoice, **own: Any) -> Payment:
        """What the header says was paid, recorded by hand."""
        row: dict[str, Any] = {
            "id": new_id(),
            "organization_id": self.organization_id,
            "customer_id": self.customer_id,
            "invoice_id": header.id,
            "payment_type": "manual",
            "status": "succeeded",
            "payment_status": "succeeded",
            "amount_cents": header.total_paid_amount_cents,
            "currency": header.currency,
            "reference": "wire",
            "created_at": BILLED_AT,
            "updated_at": BILLED_AT,
        }
        return Payment(**{**row, **own})

    async def standalone(self, cents: int, **own: Any) -> Fee:
        """Store a fee of one event without invoice, with a tax of 20 %."""
        tax = cents // 5
        usual: dict[str, Any] = {
            "pay_in_advance": True,
            "purpose": "event",
            "event_transaction_id": f"tx-{next(self.numbers)}",
            "taxes_amount_cents": tax,
            "taxes_precise_amount_cents": Decimal(tax),
            "taxes_rate": Decimal(20),
        }
        fee = self.usage(cents, **{**usual, **own})
        async with self.database.begin() as tx:
            tx.add(fee)
            await tx.flush()
            tx.add(self.fee_tax(fee))
        return fee

    def fee_tax(self, fee: Fee) -> FeeTax:
        """The tax on a fee."""
        return FeeTax(
            **_vat(fee.taxes_amount_cents),
            organization_id=self.organization_id,
            fee_id=fee.id,
            precise_amount_cents=fee.taxes_precise_amount_cents,
        )

    def invoice_tax(self, invoice: Invoice) -> InvoiceTax:
        """The tax on an invoice."""
        return InvoiceTax(
            **_vat(invoice.taxes_amount_cents),
            organization_id=self.organization_id,
            invoice_id=invoice.id,
            fees_amount_cents=invoice.fees_amount_cents,
        )


def _vat(cents: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "tax_name": "VAT",
        "tax_code": "vat",
        "tax_rate": Decimal(20),
        "amount_cents": cents,
        "currency": "EUR",
        "created_at": BILLED_AT,
    }
