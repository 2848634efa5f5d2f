"""The state machine of a task, without a database."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collab.tasks.model import TERMINAL, DodItem, Status, Task
from core.collab.tasks.moves import check_move, moved, moves_from
from core.kernel.ids import TaskId
from core.kernel.problems import IllegalMove

MOMENT = datetime(2026, 11, 4, 9, tzinfo=UTC)

ROAD = ("queued", "claimed", "in_progress", "review", "approved", "merging", "done")
LEGAL = {
    *pairwise(ROAD),
    ("claimed", "queued"),
    ("in_progress", "queued"),
    ("review", "changes_requested"),
    ("changes_requested", "in_progress"),
    *(
        (status.value, end)
        for status in Status
        if status not in TERMINAL
        for end in ("failed", "abandoned", "blocked")
        if (status.value, end) != ("blocked", "blocked")
    ),
    ("blocked", "review"),
}


def standing(status: Status, **fields: object) -> Task:
    task = Task(
        id=TaskId("T-1"),
        title="Fix login",
        status=status,
        created_at=MOMENT,
        created_by="ann",
        updated_at=MOMENT,
        updated_by="ann",
        blocked_from=Status.REVIEW if status is Status.BLOCKED else None,
    )
    for name, value in fields.items():
        object.__setattr__(task, name, value)
    return task


@pytest.mark.parametrize("old", list(Status))
@pytest.mark.parametrize("to", list(Status))
def test_exactly_the_drawn_steps_are_allowed(old: Status, to: Status) -> None:
    """M-COL-05, M-COL-06: every pair of statuses."""
    try:
        check_move(standing(old), to, by="bob", reason="why")
        is_allowed = True
    except IllegalMove:
        is_allowed = False

    assert is_allowed == ((old.value, to.value) in LEGAL)


@given(st.lists(st.sampled_from(Status), max_size=30))
def test_whatever_is_tried_a_task_only_takes_listed_steps_and_ends_for_good(
    attempts: list[Status],
) -> None:
    task = standing(Status.QUEUED)
    for to in attempts:
        allowed = moves_from(task)
        try:
            check_move(task, to, by="bob", reason="why")
        except IllegalMove:
            assert to not in allowed or task.implementer == "bob"
            continue
        assert to in allowed
        assert task.is_open
        task = moved(task, to, by="ann", reason="why")
        assert (task.blocked_from is not None) == (task.status is Status.BLOCKED)


@given(
    st.sampled_from([s for s in Status if s not in TERMINAL and s != Status.BLOCKED])
)
def test_a_blocked_task_goes_back_to_where_it_came_from(status: Status) -> None:
    task = standing(status, assignee="ann", implementer="ann")

    blocked = moved(task, Status.BLOCKED, by="bob", reason="waits")
    back = moved(blocked, status, by="bob")

    assert moves_from(blocked)[0] is status
    assert back == task


def test_blocking_needs_a_reason_or_an_unmet_need() -> None:
    task = standing(Status.QUEUED)

    with pytest.raises(IllegalMove):
        check_move(task, Status.BLOCKED, by="ann", reason="  ")

    check_move(task, Status.BLOCKED, by="ann", reason="no access")
    check_move(task, Status.BLOCKED, by="ann", unmet=["T-9"])


@pytest.mark.parametrize(
    ("old", "to"), [(Status.REVIEW, Status.APPROVED), (Status.MERGING, Status.DONE)]
)
def test_open_work_stops_approval_and_completion(old: Status, to: Status) -> None:
    """M-COL-09."""
    lines = (DodItem(text="tests"), DodItem(text="docs", is_done=True))

    with pytest.raises(IllegalMove) as refusal:
        check_move(standing(old, dod=lines), to, by="bob")
    assert refusal.value.extra["open_dod"] == ("tests",)

    with pytest.raises(IllegalMove) as refusal:
        check_move(standing(old), to, by="bob", unmet=["T-9"])
    assert refusal.value.extra["unmet"] == ("T-9",)


def test_the_implementer_cannot_approve() -> None:
    task = standing(Status.REVIEW, implementer="ann")

    with pytest.raises(IllegalMove):
        check_move(task, Status.APPROVED, by="ann")
    check_move(task, Status.APPROVED, by="bob")


def test_a_refused_step_names_the_possible_ones() -> None:
    with pytest.raises(IllegalMove) as refusal:
        check_move(standing(Status.QUEUED), Status.DONE, by="ann")

    assert refusal.value.extra["allowed"] == [
        "claimed",
        "blocked",
        "failed",
        "abandoned",
    ]
    assert refusal.value.fix[0] == "task move T-1 claimed"


def test_starting_work_makes_the_mover_its_implementer() -> None:
    begun = moved(
        standing(Status.CLAIMED, assignee="bob"), Status.IN_PROGRESS, by="ann"
    )

    assert (begun.implementer, begun.assignee) == ("ann", "bob")


def test_giving_work_back_clears_the_assignee() -> None:
    back = moved(standing(Status.IN_PROGRESS, assignee="bob"), Status.QUEUED, by="bob")

    assert back.assignee == ""
