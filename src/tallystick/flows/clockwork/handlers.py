"""Which flow carries out which kind of agenda entry. Each takes the set of entries of one kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tallystick.flows.billing.drafts import finalize_due, refresh_due
from tallystick.flows.billing.events import bill_events_due
from tallystick.flows.billing.overdue import overdue_due
from tallystick.flows.billing.ticks import bill_due
from tallystick.flows.lifecycle.coupons import expire_due
from tallystick.flows.lifecycle.eu_taxes import rates_due
from tallystick.flows.lifecycle.subscriptions.scheduled import alert_due, end_due, end_trials_due, start_due
from tallystick.flows.lifecycle.vat_checks import check_due as check_vat_due
from tallystick.flows.lifecycle.wallets.update import expire_due as expire_wallets_due
from tallystick.flows.usage.check import check_thresholds_due, check_usage_due
from tallystick.flows.usage.daily import snapshot_due
from tallystick.flows.usage.health import check_due
from tallystick.ground.agenda import Due, Kind
from tallystick.ground.db import Tx

Handler = Callable[[Tx, Sequence[Due]], Awaitable[None]]

HANDLERS: Mapping[Kind, Handler] = {
    Kind.START_SUBSCRIPTION: start_due,
    Kind.END_SUBSCRIPTION: end_due,
    Kind.BILL: bill_due,
    Kind.BILL_EVENT: bill_events_due,
    Kind.FINALIZE_INVOICE: finalize_due,
    Kind.REFRESH_DRAFT: refresh_due,
    Kind.OVERDUE_INVOICE: overdue_due,
    Kind.EXPIRE_COUPON: expire_due,
    Kind.END_TRIAL: end_trials_due,
    Kind.EXPIRE_WALLET: expire_wallets_due,
    Kind.TERMINATION_ALERT: alert_due,
    Kind.CHECK_THRESHOLDS: check_thresholds_due,
    Kind.CHECK_USAGE: check_usage_due,
    Kind.CHECK_EVENTS: check_due,
    Kind.DAILY_USAGE: snapshot_due,
    Kind.CHECK_VAT_NUMBER: check_vat_due,
    Kind.REFRESH_VAT_RATES: rates_due,
}
