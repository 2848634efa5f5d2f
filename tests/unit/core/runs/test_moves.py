"""What may follow what."""

import pytest

from core.kernel.problems import IllegalMove
from core.runs.model import ACTIVE, TERMINAL, RunStatus
from core.runs.moves import MOVES, require_move
from tests.unit.core.runs.samples import a_run


def test_every_state_has_its_moves() -> None:
    assert MOVES.keys() == set(RunStatus)


def test_what_is_final_stays_so() -> None:
    """`R-28`: terminal is final."""
    assert all(not MOVES[status] for status in TERMINAL)


def test_every_active_state_leads_to_cancelled() -> None:
    """Cancel in each state ends terminal: at once, or by way of cancelling."""
    for status in ACTIVE:
        ends = MOVES[status] | MOVES.get(RunStatus.CANCELLING, frozenset())
        assert RunStatus.CANCELLED in ends


def test_every_state_can_be_reached() -> None:
    begun = {RunStatus.QUEUED, RunStatus.SCHEDULED, RunStatus.AWAITING_APPROVAL}
    reached = begun.union(*MOVES.values())

    assert reached == set(RunStatus)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_refused_move_says_what_is_possible(status: RunStatus) -> None:
    with pytest.raises(IllegalMove) as refused:
        require_move(a_run(status=status), RunStatus.QUEUED)

    assert "final" in refused.value.detail
    assert refused.value.fix[0] == "run retry R-1"
    assert refused.value.extra["allowed"] == []


def test_a_cancelled_one_cannot_succeed() -> None:
    with pytest.raises(IllegalMove, match="cancelling and cannot become succeeded"):
        require_move(a_run(status=RunStatus.CANCELLING), RunStatus.SUCCEEDED)
