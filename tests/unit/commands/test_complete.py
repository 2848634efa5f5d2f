"""What the language offers at a place of a line."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.complete import Item, ItemKind, complete
from commands.everything import COMMANDS
from commands.registry import Registry
from core.collab import tasks
from core.collab.agents import service as agents
from core.database import Database, Tx
from core.kernel.principal import ROLE_SCOPES, Principal, Role
from core.leases import service as leases

REGISTRY = Registry.of(COMMANDS)


@pytest.fixture
def board(db: Database, ann: Principal) -> Database:
    """A board with two tasks, a lease and an agent."""

    def fill(tx: Tx) -> None:
        tasks.create(tx, title="One")
        tasks.create(tx, title="Two")
        leases.acquire(tx, "deploy", ttl=timedelta(minutes=5))
        agents.register(tx, "runner-1")

    db.run(fill, by=ann)
    return db


def items(db: Database, by: Principal, line: str, pos: int | None = None) -> list[Item]:
    at = len(line) if pos is None else pos
    return db.look(lambda tx: complete(tx, REGISTRY, line, pos=at), by=by)


def texts(db: Database, by: Principal, line: str) -> list[str]:
    return [item.text for item in items(db, by, line)]


def test_empty_line_offers_nouns_once(board: Database, ann: Principal) -> None:
    words = texts(board, ann, "")

    assert {"task", "lease"} <= set(words)
    assert len(words) == len(set(words))


@pytest.mark.parametrize("line", ["task cr", "/ops task cr", "TASK CR", "!task cr"])
def test_verb_is_completed_under_every_prefix(
    board: Database, ann: Principal, line: str
) -> None:
    (found,) = items(board, ann, line)

    assert (found.text, found.kind) == ("create", ItemKind.COMMAND)
    assert found.start == len(line) - 2
    assert found.summary


def test_help_is_completed_with_what_there_is(board: Database, ann: Principal) -> None:
    assert texts(board, ann, "help ta") == ["task"]
    assert texts(board, ann, "help task cr") == ["create"]


def test_flag_is_completed_unless_it_was_given(board: Database, ann: Principal) -> None:
    assert "--lane" in texts(board, ann, 'task create "x" --la')
    assert "--lane" not in texts(board, ann, 'task create "x" --lane B --la')
    assert "--dry-run" in texts(board, ann, 'task create "x" --dry')


@pytest.mark.parametrize("line", ["task list --status re", "task list --status=re"])
def test_choice_is_completed_behind_its_flag(
    board: Database, ann: Principal, line: str
) -> None:
    assert items(board, ann, line) == [
        Item(text="review", start=len(line) - 2, kind=ItemKind.VALUE)
    ]


def test_live_ids_are_offered_where_one_belongs(
    board: Database, ann: Principal
) -> None:
    assert set(texts(board, ann, "task show ")) >= {"T-1", "T-2"}
    assert texts(board, ann, "task show t-2") == ["T-2"]
    assert texts(board, ann, 'task create "x" --needs T-1,T-2') == ["T-1,T-2"]


def test_verb_before_an_id_offers_ids_too(board: Database, ann: Principal) -> None:
    assert set(texts(board, ann, "claim ")) == {"T-1", "T-2"}


def test_people_are_offered(board: Database, ann: Principal) -> None:
    assert texts(board, ann, "task list --assignee ") == ["me", "runner-1"]


@pytest.mark.parametrize(
    "line",
    ['task create "Fi', "task create 'Fi'", 'task create "x" {"a', "nothing such "],
)
def test_quotes_json_and_nonsense_get_nothing(
    board: Database, ann: Principal, line: str
) -> None:
    assert texts(board, ann, line) == []


def test_only_what_the_person_may_run_is_offered(
    board: Database, ann: Principal
) -> None:
    """`M-AUTH-02`: completion tells nobody of what they may not see."""
    viewer = replace(ann, scopes=ROLE_SCOPES[Role.VIEWER])
    nobody = replace(ann, scopes=frozenset())

    assert "create" not in texts(board, viewer, "task ")
    assert "show" in texts(board, viewer, "task ")
    assert texts(board, nobody, "task show T") == []
    assert texts(board, nobody, "show T") == []


def test_what_follows_the_cursor_is_not_looked_at(
    board: Database, ann: Principal
) -> None:
    assert items(board, ann, "task cr T-1", pos=7) == items(board, ann, "task cr")


@given(line=st.text(max_size=60) | st.text("tak show-=,T1\"' ", max_size=40))
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_is_answered(board: Database, ann: Principal, line: str) -> None:
    """`R-19`: with items that begin inside of the line."""
    found = items(board, ann, line)

    assert all(0 <= item.start <= len(line) for item in found)
