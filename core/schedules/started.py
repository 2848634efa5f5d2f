"""What a moment has started, and whether that goes on: a run, or a job by its runs."""

from collections.abc import Sequence

from core.database import Tx
from core.kernel.ids import number_of
from core.runs import controls, listing
from core.runs import store as runs
from core.runs.model import Run, RunFilter, RunStatus
from core.schedules.model import TickState

_NEWEST = 2**62
_MOST_RUNS = 20
_STATES = {
    RunStatus.SUCCEEDED: TickState.DONE,
    RunStatus.FAILED: TickState.FAILED,
    RunStatus.TIMED_OUT: TickState.FAILED,
    RunStatus.CANCELLED: TickState.SKIPPED,
}


def list_active(tx: Tx, target: str) -> Sequence[Run]:
    """List the runs behind an id that go on."""
    return [each for each in _runs_of(tx, target) if not each.is_terminal]


def end_of(tx: Tx, target: str) -> tuple[TickState, str]:
    """Tell how what was started went, and in which words.

    Shape:  what goes on is `started`; an id without a run was done when it was made.
    """
    found = _runs_of(tx, target)
    if any(not each.is_terminal for each in found):
        return TickState.STARTED, ""
    if not found:
        return TickState.DONE, ""
    last = found[0]
    why = last.error.detail if last.error else last.reason
    said = f"{last.id} {last.status}{f': {why}' if why else ''}"
    return _STATES[last.status], said


def runs_behind(tx: Tx, target: str) -> Sequence[str]:
    """List the ids of the runs behind an id, whether they go on or not."""
    return [each.id for each in _runs_of(tx, target)]


def targets_of(tx: Tx, run_id: str) -> Sequence[str]:
    """List the ids by which a run may have been started: its own, and its job's."""
    run = runs.find(tx, run_id)
    return [each for each in (run.id, run.job) if each] if run else []


def cancel(tx: Tx, target: str, *, reason: str) -> None:
    """Cancel what goes on behind an id."""
    for each in list_active(tx, target):
        controls.cancel(tx, each.id, reason=reason)


def _runs_of(tx: Tx, target: str) -> Sequence[Run]:
    """List the runs behind an id, the newest first."""
    if number_of(target, "R"):
        found = runs.find(tx, target)
        return [found] if found else []
    if number_of(target, "J"):
        return listing.list_before(tx, _NEWEST, RunFilter(job=target), most=_MOST_RUNS)
    return []
