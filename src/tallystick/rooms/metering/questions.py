"""What a rollup is the answer to: a window with nothing but what decides which events count, where, and for how much.

Charges of different prices, or of different plans, ask the same question. A filter, a group key or a period that
changes asks another one: no rollup is ever mended.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass, replace

import msgspec

from tallystick.core.aggregate import group_keys, needs_values
from tallystick.core.contract import ChargeTerms, Metric, PriceFilter
from tallystick.core.metering import MeterWindow
from tallystick.core.rating import ChargeModel

_NOBODY = uuid.UUID(int=0)
#: aggregations whose figures can be added to, whatever the order in which events come
_ADDED_UP = {"count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg"}


@dataclass(frozen=True, slots=True)
class Question:
    """`earliest_at`: how far back it reaches, if that depends on when the subscription first started (§3.4)."""

    window: MeterWindow
    earliest_at: dt.datetime | None = None

    @property
    def text(self) -> str:
        """The question as JSON."""
        return msgspec.json.encode(self).decode()

    @property
    def definition(self) -> bytes:
        """Its hash, which names it within a stream."""
        return hashlib.sha256(self.text.encode()).digest()


def read_question(text: str) -> Question:
    """The question of `Question.text`."""
    return msgspec.json.decode(text, type=Question)


def can_be_rolled_up(window: MeterWindow) -> bool:
    """Whether sums say all: not where a price looks at single events, days of texts count, or only some events do."""
    charge = window.charge
    kind = charge.metric.aggregation_type
    intervals = kind == "unique_count_agg" and charge.prorated
    return kind in _ADDED_UP and not intervals and not needs_values(charge) and not window.only


class Questions:
    """Questions of windows; what charges contribute is found once for each charge."""

    def __init__(self) -> None:
        self._charges: dict[int, tuple[ChargeTerms, ChargeTerms]] = {}

    def of(self, window: MeterWindow, earliest_at: dt.datetime | None) -> Question:
        """The question that a window asks."""
        timezone = window.timezone if window.charge.prorated else "UTC"
        charge = self._bare(window.charge)
        return Question(
            replace(window, key=0, charge=charge, timezone=timezone, duration_days=0, window_days=0), earliest_at
        )

    def _bare(self, charge: ChargeTerms) -> ChargeTerms:
        if id(charge) not in self._charges:
            self._charges[id(charge)] = charge, _bare(charge)
        return self._charges[id(charge)][1]


def _bare(charge: ChargeTerms) -> ChargeTerms:
    """The charge without names, prices and roundings; its target wallet is a group key like any other."""
    metric = charge.metric
    return ChargeTerms(
        id=_NOBODY,
        code="",
        metric=Metric(
            id=_NOBODY,
            code=metric.code,
            name="",
            aggregation_type=metric.aggregation_type,
            field_name=metric.field_name,
            recurring=metric.recurring,
            rounding_function=None,
            rounding_precision=None,
            filters={},
        ),
        model=ChargeModel.STANDARD,
        properties={"pricing_group_keys": group_keys(charge, None)},
        filters=tuple(
            PriceFilter(
                id=_NOBODY,
                values=one.values,
                given_values={},
                properties={"pricing_group_keys": group_keys(charge, one)},
                invoice_display_name=None,
            )
            for one in charge.filters
        ),
        pay_in_advance=False,
        prorated=charge.prorated,
        invoiceable=True,
        min_amount_cents=0,
        invoice_display_name=None,
        accepts_target_wallet=False,
        taxes=(),
    )
