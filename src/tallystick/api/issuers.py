"""What bodies of organizations and billing entities share: settings of an issuer (customers_entitlements.md §3).

Reads and checks single fields; what settings may not be combined is the organizations room's business.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from tallystick.api.addresses import Address
from tallystick.api.inputs import (
    Codes,
    Currency,
    Emails,
    Flag,
    Input,
    Locale,
    Shape,
    SmallWhole,
    Text,
    Timezone,
    one_of,
    refuse,
    up_to,
)

MAX_DAYS = 36_500  # a century: later dates mean nothing and would leave the calendar
MAX_FOOTER = 600
MAX_LOGO_BYTES = 800 * 1024
MAX_NAME = 255
EMAIL_KINDS = frozenset({"invoice.finalized", "credit_note.created", "payment_receipt.created"})


def _days(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MAX_DAYS:
        raise refuse("value_is_out_of_range")
    return value


def _prefix(value: str | None) -> str | None:
    if value is None:
        return None
    if not value.strip():
        raise refuse("value_is_too_short")
    if len(value) > 10:
        raise refuse("value_is_too_long")
    return value.upper()


def _email_kinds(value: list[str] | None) -> list[str] | None:
    if value is not None and not set(value) <= EMAIL_KINDS:
        raise refuse("unsupported_value")
    return None if value is None else list(dict.fromkeys(value))


_DATA_URL = re.compile(r"data:(image/(?:png|jpeg|jpg));base64,(.*)", re.DOTALL)
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def _logo(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    match = _DATA_URL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refuse("invalid_content_type")
    kind = match[1].replace("/jpg", "/jpeg")
    try:
        image = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise refuse("invalid_content_type") from None
    if not image.startswith(_MAGIC[kind]):
        raise refuse("invalid_content_type")
    if len(image) > MAX_LOGO_BYTES:
        raise refuse("invalid_size")
    return (kind, image)


Days = Annotated[SmallWhole, AfterValidator(_days)]
Anchor = Annotated[str | None, one_of("current_period_end", "next_period_start"), Shape.SCALAR]
Adjustment = Annotated[str | None, one_of("keep_anchor", "align_with_finalization_date"), Shape.SCALAR]
Logo = Annotated[tuple[str, bytes] | None, BeforeValidator(_logo), Shape.SCALAR]


class BillingConfiguration(Input):
    """`billing_configuration` of an issuer."""

    invoice_footer: Annotated[Text, up_to(MAX_FOOTER)] = None
    invoice_grace_period: Days = None
    document_locale: Locale = None
    subscription_invoice_issuing_date_anchor: Anchor = None
    subscription_invoice_issuing_date_adjustment: Adjustment = None


class IssuerInput(Address):
    """The settings that organizations and billing entities share."""

    default_currency: Currency = None
    email: Emails = None
    legal_name: Text = None
    legal_number: Text = None
    tax_identification_number: Text = None
    timezone: Timezone = None
    net_payment_term: Days = None
    document_number_prefix: Annotated[Text, AfterValidator(_prefix)] = None
    finalize_zero_amount_invoice: Flag = None
    email_settings: Annotated[Codes, AfterValidator(_email_kinds)] = None
    billing_configuration: Annotated[BillingConfiguration | None, Shape.OBJECT] = None

    def settings(self) -> dict[str, Any]:
        """The given settings by column, `billing_configuration` spread out."""
        given = self.given()
        configuration: BillingConfiguration | None = given.pop("billing_configuration", None)
        return {**given, **(configuration.given() if configuration else {})}
