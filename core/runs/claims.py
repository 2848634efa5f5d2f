"""Give runs to workers: one statement decides who gets what.

Shape:  `CLAIM` takes, lane by lane, the first runs that nothing holds up (each lane a
        short walk over the index of what is queued), ranks them by how much their lane
        already has for its weight, leaves out those for which their lane or their
        concurrency key has no room, locks the rest, skipping what somebody else has
        locked, and makes them the worker's, all at once. How much is held is counted
        from the rows themselves, so nothing can drift.
Source: docs/explanation/runs.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from core.database import Tx
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.runs import claiming
from core.runs.changes import queued, tell
from core.runs.lanes import service as lanes
from core.runs.lanes.model import LaneRule
from core.runs.model import Run
from core.runs.reports import MOST_CLAIMED, Wanted
from core.runs.workers import service as workers
from core.runs.workers.model import WorkerState

SHORTEST_LEASE = timedelta(seconds=1)
LONGEST_LEASE = timedelta(hours=1)


def claim(tx: Tx, wanted: Wanted) -> Sequence[Run]:
    """Give a worker the runs that it may take next, at most `wanted.limit`.

    Shape:  no run is given to two; a lane's and a key's limit are kept; a worker that
            was not known is registered; one that drains gets nothing.
    Raises: Forbidden when the worker is somebody else's, InvalidArgument.
    """
    if not _may_take(tx, wanted):
        return []
    wake_due(tx)
    given = claiming.take(tx, wanted, open_rules(tx, wanted))
    return _told(tx, given)


def claim_one(tx: Tx, run_id: str, wanted: Wanted) -> Run | None:
    """Give a worker one certain run, if it is its turn now; None if it is not.

    Shape:  the same statement, so a message that names a run which somebody has
            already, or for which there is no room now, changes nothing.
    Raises: as `claim`.
    """
    if not _may_take(tx, wanted):
        return None
    wake_due(tx)
    given = claiming.take_one(tx, run_id, wanted, open_rules(tx, wanted))
    return next(iter(_told(tx, given)), None)


def wake_due(tx: Tx) -> int:
    """Queue what was scheduled for now, and what has waited for its next attempt."""
    due = claiming.list_due(tx)
    for run in due:
        queued(tx, run, at=run.available_at)
    return len(due)


def _may_take(tx: Tx, wanted: Wanted) -> bool:
    """Register the worker, and tell whether it gets anything."""
    if not 1 <= wanted.limit <= MOST_CLAIMED:
        raise InvalidArgument(
            f"a worker cannot claim {wanted.limit} runs at once",
            fix=[f"use 1 to {MOST_CLAIMED}"],
            argument="limit",
        )
    if not SHORTEST_LEASE <= wanted.lease <= LONGEST_LEASE:
        raise InvalidArgument(
            f"a claim cannot last {wanted.lease.total_seconds():g} s",
            fix=["use 1 s to 1 h"],
            argument="lease",
        )
    return workers.register(tx, wanted).state is WorkerState.ONLINE


def open_rules(tx: Tx, wanted: Wanted) -> Mapping[Lane, LaneRule]:
    """Read the rules of all lanes; those that give this worker nothing are closed."""
    mine = frozenset(wanted.lanes or Lane)
    return {
        lane: rule if lane in mine and rule.is_open else replace(rule, concurrency=0)
        for lane, rule in lanes.rules(tx).items()
    }


def _told(tx: Tx, given: Sequence[Run]) -> Sequence[Run]:
    for run in given:
        tell(
            tx,
            "run_claimed",
            run,
            worker=run.worker,
            lane=run.lane.value,
            attempt=run.attempt,
            fence=run.fence,
        )
    return given
