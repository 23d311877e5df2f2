"""Tables written by the customers room: customers and their metadata."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tallystick.ground.tables.base import Base, Id, Instant, OptionalInstant, OptionalMap, OrganizationRef, Ref


class Customer(Base):
    """Whom the organization bills (customers_entitlements.md §1). This row is the lock for the customer's money."""

    __tablename__ = "customers"
    __table_args__ = (
        Index(
            "uq_customers_external_id",
            "organization_id",
            "external_id",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
        UniqueConstraint("organization_id", "sequential_id"),
        Index(None, "organization_id", "created_at", "id"),
    )

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    billing_entity_id: Mapped[Ref] = mapped_column(ForeignKey("billing_entities.id"))
    external_id: Mapped[str]
    sequential_id: Mapped[int]
    slug: Mapped[str]
    account_type: Mapped[str] = mapped_column(default="customer")
    customer_type: Mapped[str | None]
    name: Mapped[str | None]
    firstname: Mapped[str | None]
    lastname: Mapped[str | None]
    legal_name: Mapped[str | None]
    legal_number: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    url: Mapped[str | None]
    logo_url: Mapped[str | None]
    external_salesforce_id: Mapped[str | None]
    tax_identification_number: Mapped[str | None]
    country: Mapped[str | None]
    address_line1: Mapped[str | None]
    address_line2: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    zipcode: Mapped[str | None]
    shipping_country: Mapped[str | None]
    shipping_address_line1: Mapped[str | None]
    shipping_address_line2: Mapped[str | None]
    shipping_city: Mapped[str | None]
    shipping_state: Mapped[str | None]
    shipping_zipcode: Mapped[str | None]
    currency: Mapped[str | None]
    timezone: Mapped[str | None]
    net_payment_term: Mapped[int | None]
    finalize_zero_amount_invoice: Mapped[str] = mapped_column(default="inherit")
    skip_invoice_custom_sections: Mapped[bool] = mapped_column(default=False)
    invoice_grace_period: Mapped[int | None]
    document_locale: Mapped[str | None]
    subscription_invoice_issuing_date_anchor: Mapped[str | None]
    subscription_invoice_issuing_date_adjustment: Mapped[str | None]
    payment_provider: Mapped[str | None]
    payment_provider_code: Mapped[str | None]
    #: settings of the link to the payment provider, as they were sent (sync_with_provider, provider_customer_id, …)
    payment_provider_settings: Mapped[OptionalMap]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    deleted_at: Mapped[OptionalInstant]


class CustomerMetadata(Base):
    """A key and value of a customer; at most five (customers_entitlements.md §1.8)."""

    __tablename__ = "customer_metadata"
    __table_args__ = (UniqueConstraint("customer_id", "key", deferrable=True, initially="DEFERRED"),)

    id: Mapped[Id]
    organization_id: Mapped[OrganizationRef]
    customer_id: Mapped[Ref] = mapped_column(ForeignKey("customers.id"))
    key: Mapped[str]
    value: Mapped[str]
    display_in_invoice: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
