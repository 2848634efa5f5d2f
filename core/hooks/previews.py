"""What one rule makes of a payload, told step by step; nothing is run."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.expressions import Budget
from core.hooks import mapping
from core.hooks.mapping import Call, Skipped
from core.hooks.model import PayloadMap
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument


class Verdict(StrEnum):
    """What a rule's filter says to a payload."""

    NONE = "none"
    MATCHED = "matched"
    UNMATCHED = "did not match"
    BROKEN = "cannot be applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How far one rule gets with a payload.

    Shape:  `each_count` is how many elements `each` found, None when the rule has none
            or its filter kept it from looking. `problem` says which expression cannot
            be used, and why; then there are no `calls`, and none either of what is
            `skipped`.
    """

    rule: PayloadMap
    filter: Verdict
    each_count: int | None = None
    calls: Sequence[Call] = ()
    skipped: str = ""
    problem: str = ""


def preview(
    rule: PayloadMap, payload: Json, *, budget: Budget | None = None
) -> Preview:
    """Apply a rule, which need not be stored, and say where it ends.

    Shape:  `budget` is what it shares with the other rules of the same payload.
    """
    shared = budget or Budget()
    matched = Verdict.MATCHED if rule.filter else Verdict.NONE
    try:
        mapping.check(rule)
        found = mapping.extract_calls([rule], payload, budget=shared)
    except InvalidArgument as problem:
        is_filter = rule.filter and problem.extra.get("argument") == "filter"
        return Preview(
            rule=rule,
            filter=Verdict.BROKEN if is_filter else matched,
            problem=problem.detail,
        )
    if not isinstance(found, Skipped):
        count = len(found) if rule.each else None
        return Preview(rule=rule, filter=matched, each_count=count, calls=found)
    is_kept_out = found.reason == mapping.UNMATCHED
    return Preview(
        rule=rule,
        filter=Verdict.UNMATCHED if is_kept_out else matched,
        each_count=0 if rule.each and not is_kept_out else None,
        skipped=found.reason,
    )
