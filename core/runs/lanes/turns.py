"""Whose turn it is: lanes share the workers by their weights, and none starves.

Each lane has a clock that moves on by `cost` (the less, the heavier the lane) with every
run that is given out of it; whichever lane's clock is behind the others' is next. A lane
that had nothing to give does not save its turns up: its clock starts at the common one.
The clocks are counters of the tenant's head, which every writer has locked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.database import Tx
from core.kernel.lanes import Lane
from core.runs.lanes.model import LaneRule
from core.runs.model import Run

_SCALE = 1_000_000
_COMMON = "lane"


def cost(rule: LaneRule) -> int:
    """Return how far one run moves the clock of its lane."""
    return _SCALE // rule.weight


def start(tx: Tx, lane: Lane) -> int:
    """Read where the clock of a lane starts now."""
    return max(tx.last_number(_clock(lane)), tx.last_number(_COMMON))


def note(tx: Tx, given: Sequence[Run], rules: Mapping[Lane, LaneRule]) -> None:
    """Move the clocks on by what was given out."""
    counted = Counter(run.lane for run in given)
    begun = {lane: start(tx, lane) for lane in counted}
    for lane, count in counted.items():
        step = cost(rules[lane])
        tx.advance_id(_clock(lane), begun[lane] + count * step)
        tx.advance_id(_COMMON, begun[lane] + (count - 1) * step)


def _clock(lane: Lane) -> str:
    return f"lane {lane}"
