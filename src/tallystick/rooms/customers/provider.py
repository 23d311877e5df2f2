"""The customer's link to a payment provider as settings: what is stored when (customers_entitlements.md §1.6).

Calls nobody: creating the customer at the provider is other flows' work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.ground.tables import Customer

PROVIDERS = ("stripe", "gocardless", "adyen", "cashfree", "flutterwave")
STRIPE_METHODS = (
    "card",
    "sepa_debit",
    "us_bank_account",
    "bacs_debit",
    "link",
    "boleto",
    "crypto",
    "customer_balance",
)
_SETTINGS = ("provider_customer_id", "sync_with_provider", "provider_payment_methods")


def apply(customer: Customer, given: Mapping[str, Any], *, new: bool) -> None:
    """Store what the caller sent of `billing_configuration` about payment (payments.md §3.1)."""
    wants_link = bool(given.get("sync_with_provider") or given.get("provider_customer_id"))
    name = given.get("payment_provider")
    if new and not wants_link:
        return  # a provider without link is not stored
    if "payment_provider" in given:
        customer.payment_provider = name if name in PROVIDERS else None
        if name is None:
            customer.payment_provider_code = None
            customer.payment_provider_settings = None
            return
    if "payment_provider_code" in given:
        customer.payment_provider_code = given["payment_provider_code"]
    if customer.payment_provider is not None and (wants_link or customer.payment_provider_settings is not None):
        customer.payment_provider_settings = _settings(customer, given)


def _settings(customer: Customer, given: Mapping[str, Any]) -> dict[str, Any]:
    stored = dict(customer.payment_provider_settings or {})
    # a blank list of methods leaves them as they are (payments.md §1.2)
    stored.update({name: given[name] for name in _SETTINGS if name in given and given[name] not in (None, [])})
    if given.get("provider_customer_id", "kept") in (None, ""):
        stored.pop("provider_customer_id", None)
    if customer.payment_provider == "stripe":
        stored.setdefault("provider_payment_methods", ["card"])
    else:
        stored.pop("provider_payment_methods", None)
    return stored
