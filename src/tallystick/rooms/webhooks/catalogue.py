"""The names of webhook types that an endpoint's filter may hold (webhooks.md §1.10, §2).

Not for what a message carries, and not a list of what is sent today: filters accept every name of the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

#: webhooks.md §2.1 and §2.2
TYPES = frozenset(
    {
        "alert.triggered",
        "billable_metric.created",
        "billable_metric.deleted",
        "billable_metric.updated",
        "credit_note.created",
        "credit_note.generated",
        "credit_note.refund_failure",
        "customer.accounting_provider_created",
        "customer.accounting_provider_error",
        "customer.checkout_url_generated",
        "customer.created",
        "customer.crm_provider_created",
        "customer.crm_provider_error",
        "customer.payment_provider_created",
        "customer.payment_provider_error",
        "customer.tax_provider_error",
        "customer.updated",
        "customer.vies_check",
        "dunning_campaign.finished",
        "events.error",
        "events.errors",
        "feature.created",
        "feature.deleted",
        "feature.updated",
        "fee.created",
        "fee.tax_provider_error",
        "integration.provider_error",
        "invoice.created",
        "invoice.deleted",
        "invoice.drafted",
        "invoice.generated",
        "invoice.one_off_created",
        "invoice.paid_credit_added",
        "invoice.payment_dispute_lost",
        "invoice.payment_failure",
        "invoice.payment_overdue",
        "invoice.payment_status_updated",
        "invoice.ready_to_finalize",
        "invoice.resynced",
        "invoice.voided",
        "order.created",
        "order.executed",
        "order_form.created",
        "order_form.expired",
        "order_form.signed",
        "order_form.voided",
        "payment.requires_action",
        "payment.succeeded",
        "payment_provider.error",
        "payment_receipt.created",
        "payment_receipt.generated",
        "payment_request.created",
        "payment_request.payment_failure",
        "payment_request.payment_status_updated",
        "plan.created",
        "plan.deleted",
        "plan.updated",
        "quote.approved",
        "quote.created",
        "quote.voided",
        "subscription.canceled",
        "subscription.incomplete",
        "subscription.started",
        "subscription.terminated",
        "subscription.termination_alert",
        "subscription.trial_ended",
        "subscription.updated",
        "subscription.usage_threshold_reached",
        "wallet.created",
        "wallet.depleted_ongoing_balance",
        "wallet.terminated",
        "wallet.updated",
        "wallet_transaction.created",
        "wallet_transaction.payment_failure",
        "wallet_transaction.updated",
    }
)

#: the other name of a type -> the type (webhooks.md §2.3): both are accepted in filters and mean the same
OTHER_NAMES = {
    "credit_note.provider_refund_failure": "credit_note.refund_failure",
    "event.error": "events.error",
}

EVERYTHING = "*"


def canonical(name: str) -> str:
    """The one name under which a type is compared."""
    return OTHER_NAMES.get(name, name)


def normalized(names: Sequence[object]) -> list[str]:
    """What an endpoint stores: trimmed, in lower case, without blanks and repetitions, in the order given (§1.10)."""
    cleaned = (str(name).strip().lower() for name in names if name is not None)
    return list(dict.fromkeys(name for name in cleaned if name))


def unknown(names: Sequence[str]) -> list[str]:
    """Those of the normalized names that no type has; `*` beside others is one of them."""
    return [name for name in names if canonical(name) not in TYPES]


def accepts(event_types: Collection[str] | None, webhook_type: str) -> bool:
    """Whether a filter lets a type through: null = all types, [] = nothing (webhooks.md §1.10)."""
    return event_types is None or canonical(webhook_type) in {canonical(name) for name in event_types}
