"""JMESPath expressions, and texts with expressions in them; safe with any payload."""

from core.expressions.budget import STEPS_LIMIT, Budget
from core.expressions.search import check_expression, search
from core.expressions.templates import check_template, fill

__all__ = [
    "STEPS_LIMIT",
    "Budget",
    "check_expression",
    "check_template",
    "fill",
    "search",
]
