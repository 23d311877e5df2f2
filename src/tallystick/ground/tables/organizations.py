"""Tables written by the organizations room: organizations, billing entities, API keys."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, OptionalInstant, OptionalMap, OrganizationRef, Texts


class Organization(Base):
    """A tenant. Its billing settings live in its default billing entity, which has the same id."""

    __tablename__ = "organizations"

    id: Mapped[Id]
    name: Mapped[str]
    slug: Mapped[str]
    sandbox: Mapped[bool]
    #: the test clock of a sandbox organization; null until it is set, then it is "now" everywhere
    clock_at: Mapped[OptionalInstant]
    hmac_key: Mapped[str] = mapped_column(unique=True)
    #: whether mails come from the billing entity's own address instead of the installation's (design §7.9)
    from_email: Mapped[bool] = mapped_column(default=False)
    #: whether documents and mails go without the product's name
    remove_branding_watermark: Mapped[bool] = mapped_column(default=True)
    #: how many customers were ever created; the source of customers.sequential_id
    customers_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class BillingEntity(Base):
    """A legal issuer of invoices inside an organization (customers_entitlements.md §3)."""

    __tablename__ = "billing_entities"
    __table_args__ = (
        Index(
            "uq_billing_entities_code",
            "organization_id",
            "code",
            unique=True,
            postgresql_where=text("archived_at is null"),
        ),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    code: Mapped[str]
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    default_currency: Mapped[str] = mapped_column(default="USD")
    country: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    zipcode: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    legal_name: Mapped[str | None]
    legal_number: Mapped[str | None]
    tax_identification_number: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(default="UTC")
    document_numbering: Mapped[str] = mapped_column(default="per_customer")
    document_number_prefix: Mapped[str]
    #: last value of the per_billing_entity sequence (invoicing.md §5)
    document_sequence: Mapped[int] = mapped_column(default=0)
    finalize_zero_amount_invoice: Mapped[bool] = mapped_column(default=True)
    net_payment_term: Mapped[int] = mapped_column(default=0)
    email_settings: Mapped[Texts] = mapped_column(default=list)
    eu_tax_management: Mapped[bool] = mapped_column(default=False)
    einvoicing: Mapped[bool] = mapped_column(default=False)
    logo: Mapped[bytes | None] = mapped_column(LargeBinary)
    logo_content_type: Mapped[str | None]
    invoice_footer: Mapped[str | None]
    invoice_grace_period: Mapped[int] = mapped_column(default=0)
    document_locale: Mapped[str] = mapped_column(default="en")
    subscription_invoice_issuing_date_anchor: Mapped[str] = mapped_column(default="next_period_start")
    subscription_invoice_issuing_date_adjustment: Mapped[str] = mapped_column(default="align_with_finalization_date")
    archived_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class ApiKey(Base):
    """A key of the public API. Only its SHA-256 is stored: keys are random, so a slow hash would protect nothing."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("key_hash"), Index(None, "organization_id"))

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    name: Mapped[str | None]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    last_characters: Mapped[str]
    #: resource -> ["read", "write"]; null = everything (also resources of later versions)
    permissions: Mapped[OptionalMap]
    expires_at: Mapped[OptionalInstant]
    last_used_at: Mapped[OptionalInstant]
    created_at: Mapped[Instant]
