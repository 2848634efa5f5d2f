"""Finding a command by its name, by a line, or by what somebody is typing."""

import pytest

from core.kernel.catalog import Blank, Catalog, Entry, Input


def an_entry(name: str, summary: str = "Do it.", *, is_offered: bool = True) -> Entry:
    return Entry(
        name=name, summary=summary, usage=name, danger="write", is_offered=is_offered
    )


CATALOG = Catalog(
    (
        an_entry("task list", "List tasks."),
        an_entry("task create", "Put a new task in the queue."),
        an_entry("lease list", "List leases."),
        an_entry("status", "Sum up."),
        an_entry("press", is_offered=False),
    )
)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("task create Fix --lane B", "task create"),
        ("status", "status"),
        ("status now please", "status"),
        ("press rp_1.0", "press"),
        ("task", ""),
        ("", ""),
        ("ask an admin", ""),
    ],
)
def test_a_line_names_its_command(line: str, name: str) -> None:
    entry = CATALOG.of_line(line)

    assert (entry.name if entry else "") == name


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("task", ["task create", "task list"]),
        ("list", ["lease list", "task list"]),
        ("li ta", ["task list"]),
        ("queue", ["task create"]),
        ("LEASE L", ["lease list"]),
        ("press", []),
        ("", ["lease list", "status", "task create", "task list"]),
    ],
)
def test_names_come_before_what_commands_do(typed: str, names: list[str]) -> None:
    assert [entry.name for entry in CATALOG.search(typed, limit=10)] == names


def test_no_more_is_listed_than_was_asked_for() -> None:
    assert len(CATALOG.search("", limit=2)) == 2


def test_a_blank_is_labelled_in_words() -> None:
    assert Blank(name="external_key", input=Input.TEXT).label == "External key"
