"""The state machine of a run; pure.

scheduled -> queued -> claimed -> running -> succeeded | failed | timed_out
    awaiting_approval --^  ^          <-> paused
                           +-- retry_wait (after a failure), or at once (worker lost)
any that is not final -> cancelling (while a worker holds it) -> cancelled
"""

from collections.abc import Mapping

from core.kernel.problems import IllegalMove
from core.runs.model import ACTIVE, Run, RunStatus

_S = RunStatus
_ENDS = frozenset({_S.CANCELLED, _S.TIMED_OUT})
_STARTS = frozenset({_S.QUEUED, _S.SCHEDULED})

MOVES: Mapping[RunStatus, frozenset[RunStatus]] = {
    _S.SCHEDULED: frozenset({_S.QUEUED, _S.PAUSED}) | _ENDS,
    _S.AWAITING_APPROVAL: _STARTS | _ENDS,
    _S.QUEUED: frozenset({_S.CLAIMED, _S.PAUSED}) | _ENDS,
    _S.RETRY_WAIT: frozenset({_S.QUEUED, _S.PAUSED}) | _ENDS,
    _S.CLAIMED: frozenset(
        {
            _S.RUNNING,
            _S.PAUSED,
            _S.QUEUED,
            _S.RETRY_WAIT,
            _S.CANCELLING,
            _S.SUCCEEDED,
            _S.FAILED,
        }
    )
    | _ENDS,
    _S.RUNNING: frozenset(
        {
            _S.PAUSED,
            _S.QUEUED,
            _S.RETRY_WAIT,
            _S.CANCELLING,
            _S.SUCCEEDED,
            _S.FAILED,
        }
    )
    | _ENDS,
    _S.PAUSED: frozenset(
        {
            _S.RUNNING,
            _S.PAUSED,  # its worker is gone
            _S.QUEUED,
            _S.SCHEDULED,
            _S.RETRY_WAIT,
            _S.CANCELLING,
            _S.SUCCEEDED,
            _S.FAILED,
        }
    )
    | _ENDS,
    _S.CANCELLING: frozenset({_S.CANCELLED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.TIMED_OUT: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""What may follow what; whatever else somebody asks for is refused."""


def require_move(run: Run, to: RunStatus) -> None:
    """Let a move pass, or refuse it.

    Raises: IllegalMove naming what is possible.
    """
    if to not in MOVES[run.status]:
        raise refused(run, f"become {to}")


def refused(run: Run, deed: str) -> IllegalMove:
    """Say that a run cannot do something as it stands."""
    allowed = sorted(status.value for status in MOVES[run.status])
    if run.status not in ACTIVE:
        return IllegalMove(
            f"{run.id} is {run.status}, which is final, and cannot {deed}",
            fix=[f"run retry {run.id}", f"run show {run.id}"],
            allowed=allowed,
        )
    return IllegalMove(
        f"{run.id} is {run.status} and cannot {deed}",
        fix=[f"run explain {run.id}", f"run show {run.id}"],
        allowed=allowed,
    )
