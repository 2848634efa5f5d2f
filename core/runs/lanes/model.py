"""What a lane gives out, and how much of it at a time; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument

COLLECTION = "lanes"
MOST_WEIGHT = 1_000
MOST_CONCURRENCY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRule:
    """How a lane shares the workers with the others.

    Shape:  a lane of twice the weight gets twice the runs while both have some. At
            most `concurrency` runs of the lane are held at a time; 0 closes it. A
            draining lane gives nothing out, and what is held goes on.
    """

    lane: Lane
    weight: int
    concurrency: int
    is_draining: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it gives anything out."""
        return self.concurrency > 0 and not self.is_draining


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFigures:
    """A lane with what stands in it now."""

    rule: LaneRule
    queued: int = 0
    held: int = 0
    waiting: int = 0


DEFAULTS: Mapping[Lane, LaneRule] = {
    lane: LaneRule(lane=lane, weight=weight, concurrency=8 * weight)
    for lane, weight in ((Lane.A, 8), (Lane.B, 4), (Lane.C, 2), (Lane.D, 1))
}


def require_rule(rule: LaneRule) -> LaneRule:
    """Return a rule that makes sense.

    Raises: InvalidArgument for a weight below 1, or numbers that are too large.
    """
    if not 1 <= rule.weight <= MOST_WEIGHT:
        raise InvalidArgument(
            f"a lane cannot have the weight {rule.weight}",
            fix=[f"use 1 to {MOST_WEIGHT}"],
            argument="weight",
        )
    if not 0 <= rule.concurrency <= MOST_CONCURRENCY:
        raise InvalidArgument(
            f"a lane cannot have {rule.concurrency} runs at a time",
            fix=[f"use 0 to {MOST_CONCURRENCY}; 0 closes it"],
            argument="concurrency",
        )
    return rule
