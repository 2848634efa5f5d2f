"""What becomes of files that somebody edits by hand."""

import os
from datetime import timedelta

import pytest

from core.kernel.principal import Principal
from gateway.mirror.layout import EVENTS
from gateway.mirror.tenant import HOLD
from tests.builders import a_task
from tests.unit.gateway.mirror.conftest import Board

TASKS = "state/tasks.json"
EDIT = b'{"tasks":["mine"]}'


def edit(board: Board, name: str = TASKS) -> None:
    """Write to a file as an editor does."""
    (board.folder / name).write_bytes(EDIT)


def asides(board: Board) -> list[bytes]:
    return [path.read_bytes() for path in (board.folder / "edited").glob("*")]


@pytest.mark.parametrize("name", [TASKS, "logs/log.md", EVENTS])
def test_edit_is_told_once_and_left_alone(
    board: Board, ann: Principal, name: str
) -> None:
    a_task(board.db, ann)
    board.follow()
    edit(board, name)

    for _ in range(3):
        a_task(board.db, ann)
        board.follow()

    assert [each.target for each in board.told("mirror_drift")] == [name]
    assert (board.folder / name).read_bytes() == EDIT


def test_drift_tells_what_the_file_was(board: Board, ann: Principal) -> None:
    """Whoever imports the edit knows its base."""
    a_task(board.db, ann)
    board.follow()
    digest = board.digest(TASKS)
    edit(board)
    board.follow()

    (told,) = board.told("mirror_drift")
    assert told.details["expected"] == f"1-{digest}"
    assert told.details["digest"] == board.digest(TASKS)


def test_other_files_go_on_beside_an_edit(board: Board, ann: Principal) -> None:
    board.follow()
    edit(board)
    board.follow()
    a_task(board.db, ann)
    board.follow()

    assert board.digest("logs/log.md") == board.truths()["logs/log.md"]


def test_edit_is_set_aside_when_nobody_imports_it(board: Board, ann: Principal) -> None:
    """The live state is not blocked for ever, and the edit is not lost."""
    board.follow()
    edit(board)
    board.follow()

    board.pass_time(HOLD - timedelta(seconds=1))
    board.follow()
    assert (board.folder / TASKS).read_bytes() == EDIT
    board.pass_time(timedelta(seconds=1))
    board.follow()

    assert asides(board) == [EDIT]
    board.follow()
    assert board.digests() == board.truths()
    (resumed,) = board.told("mirror_resumed")
    assert str(resumed.details["aside"]).startswith("edited/tasks-20261104T09")


def test_edit_that_is_taken_away_ends_the_hold(board: Board, ann: Principal) -> None:
    board.follow()
    edit(board)
    board.follow()
    (board.folder / TASKS).unlink()
    board.follow()
    edit(board)
    board.follow()

    assert len(board.told("mirror_drift")) == 2


def test_edit_that_is_undone_ends_the_hold(board: Board, ann: Principal) -> None:
    board.follow()
    before = (board.folder / TASKS).read_bytes()
    edit(board)
    board.follow()
    (board.folder / TASKS).write_bytes(before)
    a_task(board.db, ann)
    board.follow()

    assert board.digests() == board.truths()


def test_hold_outlives_a_crash(board: Board, ann: Principal) -> None:
    board.follow()
    edit(board)
    board.follow()

    board.crash()
    board.follow()

    assert len(board.told("mirror_drift")) == 1
    assert (board.folder / TASKS).read_bytes() == EDIT


def test_edit_made_while_nothing_ran_is_found_at_the_start(
    board: Board, ann: Principal
) -> None:
    a_task(board.db, ann)
    board.follow()
    edit(board)

    board.crash()
    board.follow()

    assert [each.target for each in board.told("mirror_drift")] == [TASKS]
    assert (board.folder / TASKS).read_bytes() == EDIT


def test_edit_just_before_a_rewrite_is_not_overwritten(
    board: Board, ann: Principal
) -> None:
    """Not even between two checks."""
    board.follow()
    a_task(board.db, ann)
    edit(board)

    board.mirror.follow()

    assert (board.folder / TASKS).read_bytes() == EDIT


def test_touch_alone_is_no_edit(board: Board, ann: Principal) -> None:
    a_task(board.db, ann)
    board.follow()
    for name in (TASKS, EVENTS):
        os.utime(board.folder / name, (1, 1))

    board.follow()
    a_task(board.db, ann)
    board.follow()

    assert board.told("mirror_drift") == []
    assert board.digests() == board.truths()


@pytest.mark.parametrize("change", ["line in the middle", "line at the end", "cut"])
def test_edited_event_file_is_found(board: Board, ann: Principal, change: str) -> None:
    a_task(board.db, ann)
    a_task(board.db, ann)
    board.follow()
    lines = (board.folder / EVENTS).read_bytes().splitlines(keepends=True)
    edited = {
        "line in the middle": [lines[0], b"{}\n", *lines[1:]],
        "line at the end": [*lines, b"{}\n"],
        "cut": lines[:-1],
    }[change]
    (board.folder / EVENTS).write_bytes(b"".join(edited))

    board.follow()

    assert [each.target for each in board.told("mirror_drift")] == [EVENTS]


def test_edits_are_put_back_on_request(board: Board, ann: Principal) -> None:
    board.follow()
    edit(board)
    board.follow()

    (aside,) = board.mirror.put_back()
    board.follow()

    assert aside.read_bytes() == EDIT
    assert board.digests() == board.truths()
