"""List, set, drain and open the lanes in which runs wait."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.runs.lanes import figures, store
from core.runs.lanes.model import (
    COLLECTION,
    DEFAULTS,
    LaneFigures,
    LaneRule,
    require_rule,
)


def rules(tx: Tx) -> Mapping[Lane, LaneRule]:
    """Read the rules of all lanes, set ones and defaults."""
    return {**DEFAULTS, **{rule.lane: rule for rule in store.list_set(tx)}}


def get_(tx: Tx, lane: Lane) -> LaneRule:
    """Read the rule of one lane."""
    return rules(tx)[lane]


def list_(tx: Tx) -> Sequence[LaneFigures]:
    """List the lanes with how many runs wait and are held in each."""
    counted = figures.count_by_lane(tx)
    known = rules(tx)
    return [replace(counted[lane], rule=known[lane]) for lane in Lane]


def set_(
    tx: Tx, lane: Lane, *, weight: int | None = None, concurrency: int | None = None
) -> LaneRule:
    """Change how much a lane gets; None leaves as it is.

    Raises: InvalidArgument.
    """
    before = get_(tx, lane)
    return _put(
        tx,
        replace(
            before,
            weight=before.weight if weight is None else weight,
            concurrency=before.concurrency if concurrency is None else concurrency,
        ),
    )


def drain(tx: Tx, lane: Lane) -> LaneRule:
    """Have a lane give nothing out; what is held goes on."""
    return _put(tx, replace(get_(tx, lane), is_draining=True))


def open_(tx: Tx, lane: Lane) -> LaneRule:
    """Have a draining lane give out again."""
    return _put(tx, replace(get_(tx, lane), is_draining=False))


def view(lane: LaneFigures) -> dict[str, Json]:
    """Show a lane as JSON."""
    rule = lane.rule
    return {
        "lane": rule.lane.value,
        "weight": rule.weight,
        "concurrency": rule.concurrency,
        "is_draining": rule.is_draining,
        "queued": lane.queued,
        "held": lane.held,
        "waiting": lane.waiting,
    }


def _put(tx: Tx, rule: LaneRule) -> LaneRule:
    """Store a rule, unless it is the one that holds."""
    require_rule(rule)
    if rule == get_(tx, rule.lane):
        return rule
    store.put(tx, rule)
    tx.bump(COLLECTION)
    append(
        tx,
        "lane_changed",
        target=f"lane {rule.lane}",
        lane=rule.lane.value,
        weight=rule.weight,
        concurrency=rule.concurrency,
        is_draining=rule.is_draining,
    )
    return rule
