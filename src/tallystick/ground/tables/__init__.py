"""All tables, typed. Each is written by one room and may be read in SQL by any (design law 3)."""

from tallystick.ground.tables.adjusted_fees import AdjustedFee
from tallystick.ground.tables.alerts import Alert, AlertThreshold, TriggeredAlert
from tallystick.ground.tables.base import Base
from tallystick.ground.tables.catalog import (
    AddOn,
    BillableMetric,
    Charge,
    ChargeFilter,
    FixedCharge,
    MinimumCommitment,
    Plan,
    PricingUnit,
    UsageThreshold,
)
from tallystick.ground.tables.coupons import AppliedCoupon, Coupon, CouponTarget
from tallystick.ground.tables.credit_notes import CreditNote, CreditNoteItem, CreditNoteTax
from tallystick.ground.tables.custom_sections import AppliedCustomSection, CustomSection, CustomSectionLink
from tallystick.ground.tables.customers import Customer, CustomerMetadata
from tallystick.ground.tables.invoice_credits import InvoiceCredit
from tallystick.ground.tables.invoices import (
    Fee,
    FeeTax,
    Invoice,
    InvoiceCounter,
    InvoiceMetadata,
    InvoiceSubscription,
    InvoiceTax,
)
from tallystick.ground.tables.mails import Mail
from tallystick.ground.tables.metering import DailyUsage, Event, EventKey, TouchedSubscription
from tallystick.ground.tables.organizations import ApiKey, BillingEntity, Organization
from tallystick.ground.tables.payments import Payment, PaymentRequest, RequestedInvoice
from tallystick.ground.tables.progressive import AppliedUsageThreshold, LifetimeUsage
from tallystick.ground.tables.rollups import RolledStream, Rollup, RollupPart, RollupText, UnrolledEvents
from tallystick.ground.tables.subscriptions import FixedChargeUnits, Subscription, UnitsOverride
from tallystick.ground.tables.taxes import Tax, TaxLink, VatCheck, VatConfirmation
from tallystick.ground.tables.wallets import Wallet, WalletConsumption, WalletTarget, WalletTransaction
from tallystick.ground.tables.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from tallystick.ground.tables.work import AgendaEntry, InstallationSecret, OutboxMessage

__all__ = [
    "AddOn",
    "AdjustedFee",
    "AgendaEntry",
    "Alert",
    "AlertThreshold",
    "ApiKey",
    "AppliedCoupon",
    "AppliedCustomSection",
    "AppliedUsageThreshold",
    "Base",
    "BillableMetric",
    "BillingEntity",
    "Charge",
    "ChargeFilter",
    "Coupon",
    "CouponTarget",
    "CreditNote",
    "CreditNoteItem",
    "CreditNoteTax",
    "CustomSection",
    "CustomSectionLink",
    "Customer",
    "CustomerMetadata",
    "DailyUsage",
    "Event",
    "EventKey",
    "Fee",
    "FeeTax",
    "FixedCharge",
    "FixedChargeUnits",
    "InstallationSecret",
    "Invoice",
    "InvoiceCounter",
    "InvoiceCredit",
    "InvoiceMetadata",
    "InvoiceSubscription",
    "InvoiceTax",
    "LifetimeUsage",
    "Mail",
    "MinimumCommitment",
    "Organization",
    "OutboxMessage",
    "Payment",
    "PaymentRequest",
    "Plan",
    "PricingUnit",
    "RequestedInvoice",
    "RolledStream",
    "Rollup",
    "RollupPart",
    "RollupText",
    "Subscription",
    "Tax",
    "TaxLink",
    "TouchedSubscription",
    "TriggeredAlert",
    "UnitsOverride",
    "UnrolledEvents",
    "UsageThreshold",
    "VatCheck",
    "VatConfirmation",
    "Wallet",
    "WalletConsumption",
    "WalletTarget",
    "WalletTransaction",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
]
