"""The body of `POST /customers` (customers_entitlements.md §1): which fields there are and what each may hold."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from tallystick.api.addresses import Address
from tallystick.api.inputs import (
    Codes,
    Currency,
    Emails,
    ExternalId,
    Flag,
    Input,
    Label,
    Locale,
    RequiredText,
    Shape,
    Text,
    Timezone,
    one_of,
    refuse,
    up_to,
)
from tallystick.api.issuers import MAX_NAME, Adjustment, Anchor, Days
from tallystick.api.v1.invoice_custom_sections import check_selection
from tallystick.rooms.customers.provider import STRIPE_METHODS

#: what the unique index can hold, whatever the characters
MAX_METADATA = 5
MAX_CODES = 100


def _few(value: Any) -> Any:
    if isinstance(value, list) and len(value) > MAX_METADATA:
        raise refuse("invalid_count")
    return value


def _distinct_keys(value: list[MetadataInput] | None) -> list[MetadataInput] | None:
    if value is not None and len({item.key for item in value}) < len(value):
        raise refuse("value_is_duplicated")
    return value


def _one_per_type(value: list[IntegrationCustomerInput] | None) -> list[IntegrationCustomerInput] | None:
    types = [item.integration_type for item in value or [] if item.integration_type is not None]
    if len(set(types)) < len(types):
        raise refuse("invalid_count_per_integration_type")
    return value


def _stripe_methods(value: list[str] | None) -> list[str] | None:
    methods = set(value or ())
    if not methods <= set(STRIPE_METHODS) or ("link" in methods and "card" not in methods):
        raise refuse("value_is_invalid")
    if "customer_balance" in methods and len(methods) > 1:
        raise refuse("customer_balance cannot be combined with other payment methods")
    return None if value is None else list(dict.fromkeys(value))


class MetadataInput(Input):
    """One pair of `metadata`."""

    id: Text = None
    key: Annotated[RequiredText, up_to(20)]
    value: Annotated[Text, up_to(100)]
    display_in_invoice: Flag = None


class IntegrationCustomerInput(Input):
    """One link to an accounting, CRM or tax system."""

    integration_type: Label = None


class CustomerBilling(Input):
    """`billing_configuration`: terms, and the link to a payment provider."""

    invoice_grace_period: Days = None
    subscription_invoice_issuing_date_anchor: Anchor = None
    subscription_invoice_issuing_date_adjustment: Adjustment = None
    document_locale: Locale = None
    payment_provider: Label = None
    payment_provider_code: Label = None
    provider_customer_id: Label = None
    sync_with_provider: Flag = None
    provider_payment_methods: Annotated[Codes, AfterValidator(_stripe_methods)] = None


class CustomerInput(Address):
    """Body of the upsert; a key that is absent changes nothing, a null clears."""

    external_id: ExternalId
    name: Annotated[Text, up_to(MAX_NAME)] = None
    firstname: Text = None
    lastname: Text = None
    legal_name: Text = None
    legal_number: Text = None
    email: Emails = None
    phone: Text = None
    url: Text = None
    logo_url: Text = None
    external_salesforce_id: Text = None
    customer_type: Annotated[str | None, one_of("company", "individual"), Shape.SCALAR] = None
    account_type: Annotated[str | None, one_of("customer", "partner"), Shape.SCALAR] = None
    tax_identification_number: Text = None
    shipping_address: Annotated[Address | None, Shape.OBJECT] = None
    currency: Currency = None
    timezone: Timezone = None
    net_payment_term: Days = None
    finalize_zero_amount_invoice: Annotated[
        str | None, one_of("inherit", "skip", "finalize", code="invalid_value"), Shape.SCALAR
    ] = None
    billing_entity_code: Label = None
    billing_configuration: Annotated[CustomerBilling | None, Shape.OBJECT] = None
    tax_codes: Annotated[Codes, up_to(MAX_CODES)] = None
    metadata: Annotated[
        list[MetadataInput] | None, BeforeValidator(_few), AfterValidator(_distinct_keys), Shape.ARRAY
    ] = None
    integration_customers: Annotated[
        list[IntegrationCustomerInput] | None, AfterValidator(_one_per_type), Shape.ARRAY
    ] = None
    skip_invoice_custom_sections: Flag = None
    invoice_custom_section_codes: Codes = None
    invoice_custom_section_ids: Codes = None

    def fields(self) -> dict[str, Any]:
        """The given fields by column, nested objects spread out, as `flows.lifecycle.customers.upsert` takes them."""
        given = self.given()
        del given["external_id"]
        given.pop("integration_customers", None)
        fields = {**given, **self._shipping(given), **self._billing(given), **self._sections(given)}
        if self.metadata is not None:
            fields["metadata"] = [{"value": "", **_without_nulls(item.given())} for item in self.metadata]
        return fields

    def _shipping(self, given: dict[str, Any]) -> dict[str, Any]:
        if "shipping_address" not in given:
            return {}
        del given["shipping_address"]
        address = self.shipping_address
        names = Address.model_fields if address is None else address.model_fields_set
        return {f"shipping_{name}": getattr(address, name, None) for name in names}

    def _billing(self, given: dict[str, Any]) -> dict[str, Any]:
        given.pop("billing_configuration", None)
        return self.billing_configuration.given() if self.billing_configuration else {}

    def _sections(self, given: dict[str, Any]) -> dict[str, Any]:
        # sections by code or by id are a choice of one's own, which ends skipping
        codes, ids = given.get("invoice_custom_section_codes"), given.get("invoice_custom_section_ids")
        check_selection(self.skip_invoice_custom_sections, codes, ids)
        return {"skip_invoice_custom_sections": False} if codes or ids else {}


def _without_nulls(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
