"""The expression language of billable metrics: parse once, evaluate for each event (metering.md §2.3).

Not for charge prices, and it reads nothing but the event that it is given.
"""

from __future__ import annotations

from tallystick.core.expression.evaluate import EvaluationError, ExpressionEvent, evaluate
from tallystick.core.expression.parse import InvalidExpression, parse
from tallystick.core.expression.tree import Expression

__all__ = ["EvaluationError", "Expression", "ExpressionEvent", "InvalidExpression", "evaluate", "parse"]
