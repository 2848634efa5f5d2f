"""Commands as forms, dialogs and type-ahead see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from commands.catalog import catalog_of
from commands.context import Context
from commands.everything import COMMANDS
from commands.registry import Danger, Registry, command
from commands.schema import Doc, Person, Ref, Secret
from core.kernel.catalog import Blank, Entry, Input
from core.kernel.lanes import Lane


@command("demo run", danger=Danger.RISKY)
def run(
    ctx: Context,
    task: Annotated[str, Ref("T"), Doc("Which one.")],
    lane: Lane = Lane.B,
    *,
    people: Annotated[Sequence[str], Person()] = (),
    since: datetime | None = None,
    safe: bool = True,
    count: int = 3,
    token: Annotated[str, Secret()] = "",
) -> str:
    """Run a demonstration."""
    return f"{task}{lane}{people}{since}{safe}{count}{token}"


@command("demo sign", danger="write")
def sign(ctx: Context, token: Annotated[str, Secret()]) -> str:
    """Sign with a token."""
    return token


def entry_of(name: str) -> Entry:
    entry = catalog_of(Registry.of((run, sign))).find(name)
    assert entry is not None
    return entry


def test_an_entry_asks_for_each_argument_as_it_is_and_for_a_reason() -> None:
    assert entry_of("demo run").blanks == (
        Blank(
            name="task",
            input=Input.TEXT,
            is_required=True,
            example="T-12",
            help="Which one.",
        ),
        Blank(
            name="lane", input=Input.CHOICE, choices=("A", "B", "C", "D"), default="B"
        ),
        Blank(name="people", input=Input.TEXT, is_list=True, example="me or a name"),
        Blank(name="since", input=Input.TIME),
        Blank(name="safe", input=Input.FLAG, default=True),
        Blank(name="count", input=Input.INTEGER, default=3),
        Blank(name="reason", input=Input.TEXT, help="Why; it stands in the audit."),
    )


def test_no_form_asks_for_a_secret() -> None:
    """What is filled into a form is stored before it is run."""
    assert not entry_of("demo sign").is_offered
    assert "token" not in {blank.name for blank in entry_of("demo run").blanks}


def test_danger_says_who_asks() -> None:
    risky, write = entry_of("demo run"), entry_of("demo sign")

    assert (risky.is_asking, write.is_asking) == (True, False)
    assert not risky.is_read


def test_entries_are_made_once_for_each_set_of_commands() -> None:
    registry = Registry.of(COMMANDS)

    assert catalog_of(registry) is catalog_of(registry)


def test_every_command_has_its_entry() -> None:
    catalog = catalog_of(Registry.of(COMMANDS))

    for each in COMMANDS:
        entry = catalog.find(each.name)
        assert entry is not None
        assert (entry.summary, entry.is_read) == (each.summary, each.is_read)
