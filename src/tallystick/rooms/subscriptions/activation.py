"""Activation rules of a payment-gated start as far as they are refused (subscriptions.md §2.10).

A rule needs a payment method at a provider; nothing is stored here, since no customer has one.
"""

from __future__ import annotations

from typing import Any

from tallystick.ground.errors import Invalid
from tallystick.ground.tables import Customer


def check_format(rules: Any) -> bool:
    """Whether there are any rules; 422 for a list that is none, other types, repeated types, bad time-outs."""
    if rules is None:
        return False
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise Invalid.field("activation_rules", "invalid_format")
    if any(rule.get("type") != "payment" for rule in rules):
        raise Invalid.field("activation_rules", "invalid_type")
    if len(rules) > 1:
        raise Invalid.field("activation_rules", "duplicated_type")
    if not all(_is_timeout(rule.get("timeout_hours")) for rule in rules):
        raise Invalid.field("timeout_hours", "value_must_be_positive_or_zero")
    return bool(rules)


def check_customer(customer: Customer, payment_method_type: str) -> None:
    """422: what keeps this customer from paying before a start."""
    if customer.payment_provider is None:
        raise Invalid.field("customer", "no_linked_payment_provider")
    if payment_method_type == "manual":
        raise Invalid.field("customer", "manual_payment_method_invalid_for_payment_activation_rules")
    raise Invalid.field("customer", "no_default_payment_method")


def _is_timeout(hours: Any) -> bool:
    if hours is None or (isinstance(hours, str) and hours.isascii() and hours.isdigit()):
        return True
    return isinstance(hours, int) and not isinstance(hours, bool) and hours >= 0
