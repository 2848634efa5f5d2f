"""Whose turn it is to leave; pure.

Whatever goes to one room or person stands in one line, parted by lane. Only the first
of each lane can leave, and one delivery at a time, so what is said keeps its order. What
needs no order is loose: whatever is due can leave, as many at once as the account bears.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.delivery.outbox.model import Budget, Spot
from core.kernel.outgoing import Lane

# What may wait while its channel is switched off; the rest was promised to somebody.
HELD_BACK = (Lane.PROGRESS, Lane.DIGESTS)


class First(NamedTuple):
    """The first that waits of one line and lane, or one of those that keep no order."""

    key: str
    number: int
    spot: Spot
    lane: int
    subject: str
    due_at: int
    claimed_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What waits and what is on its way.

    Shape:  `firsts` the most urgent first; `busy` the line of each that is on its way;
            `pauses` until when a line or a whole account is to be left alone.
    """

    firsts: Sequence[First]
    busy: Sequence[Spot]
    pauses: Mapping[Spot, int]


@dataclass(slots=True)
class Turns:
    """Who may leave now, and when the next may if nobody does (0: nobody waits)."""

    now: list[First] = field(default_factory=list)
    next_at: int = 0

    def wait(self, until: int) -> None:
        """Note that somebody may leave at a moment."""
        self.next_at = min(self.next_at, until) if self.next_at else until


def take_turns(
    traffic: Traffic,
    budgets: Mapping[str, Budget],
    *,
    now: int,
    switched_off: Container[str] = (),
    most: int,
) -> Turns:
    """Choose at most `most` that may leave now, by lane and then by age.

    Shape:  a channel without a budget is not known here: what is for it waits for a
            gateway that knows it. Of one that is switched off, only what was promised
            leaves.
    """
    turns = Turns()
    busy = {spot for spot in traffic.busy if not spot.is_loose}
    in_flight = Counter(spot.whole_account for spot in traffic.busy)
    for first in traffic.firsts:
        spot = first.spot
        budget = budgets.get(spot.channel)
        if budget is None or _is_held_back(first, switched_off):
            continue
        free_at = _free_at(first, traffic.pauses)
        if free_at > now:
            turns.wait(free_at)
        elif spot not in busy and in_flight[spot.whole_account] < budget.most:
            if len(turns.now) == most:
                break
            if not spot.is_loose:
                busy.add(spot)
            in_flight[spot.whole_account] += 1
            turns.now.append(first)
    return turns


def _is_held_back(first: First, switched_off: Container[str]) -> bool:
    return first.lane in HELD_BACK and first.spot.channel in switched_off


def _free_at(first: First, pauses: Mapping[Spot, int]) -> int:
    """Tell when nothing stands in the way any more but what is under way."""
    return max(
        first.due_at,
        first.claimed_until,
        pauses.get(first.spot, 0),
        pauses.get(first.spot.whole_account, 0),
    )
