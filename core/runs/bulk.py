"""One thing done to many runs, told as one event."""

from collections.abc import Sequence

from core.database import Tx
from core.events.service import append
from core.runs import controls
from core.runs.controls import Action, Done


def change(
    tx: Tx, ids: Sequence[str], action: Action, *, reason: str = ""
) -> Sequence[Done]:
    """Do one thing to many runs; what one refuses keeps no other from it.

    Shape:  `results` of the event `run_bulk_finished` names for each run where it
            stands now, the run that a retry has made, or the code of its refusal.
    Raises: InvalidArgument for more than `controls.MOST_AT_ONCE`.
    """
    results = controls.bulk(tx, ids, action, reason=reason)
    done = sum(1 for each in results if each.is_done)
    append(
        tx,
        "run_bulk_finished",
        action=action.value,
        matched=len(results),
        done=done,
        failed=len(results) - done,
        results={each.id: each.made or each.code or each.status for each in results},
    )
    return results
