"""Aggregation in plain Python: an event's bucket and group, and what events add up to (metering.md §3-§4).

`meter` is slow and obvious; usage comes from the SQL of `rooms/metering`, which is tested against it. Both share only
the last step, `usage`: divisions and roundings of exact sums.
"""

from __future__ import annotations

from tallystick.core.aggregate.buckets import bucket_of, group_keys, group_of, is_narrower
from tallystick.core.aggregate.event import MOST_DIGITS, Event, numeric_value, text_value
from tallystick.core.aggregate.figures import Figures, has_items, needs_values, usage
from tallystick.core.aggregate.meter import group_order, meter, window_start
from tallystick.core.aggregate.regroup import (
    broken_down,
    displayed_keys,
    presentation_keys,
    presented_values,
    without_groups,
)

__all__ = [
    "MOST_DIGITS",
    "Event",
    "Figures",
    "broken_down",
    "bucket_of",
    "displayed_keys",
    "group_keys",
    "group_of",
    "group_order",
    "has_items",
    "is_narrower",
    "meter",
    "needs_values",
    "numeric_value",
    "presentation_keys",
    "presented_values",
    "text_value",
    "usage",
    "window_start",
    "without_groups",
]
