"""Help never fails, fits the page, and leads from nouns to one command."""

import pytest

from commands.help import everything, of_command, of_noun, overview, usage
from commands.registry import Registry, command
from commands.suggest import nearest
from core.kernel.principal import DEFAULT_TENANT, Principal
from core.kernel.reply import Code, Link, Reply, Table
from tests.unit.commands.sample import REGISTRY, whoami

NOBODY = Principal(id="u", name="bob", tenant=DEFAULT_TENANT)
READER = Principal(
    id="u", name="bob", tenant=DEFAULT_TENANT, scopes=frozenset({"*:read"})
)


def _rows(reply: Reply) -> list[list[str]]:
    return [
        list(row)
        for block in reply.blocks
        if isinstance(block, Table)
        for row in block.rows
    ]


def test_the_overview_shows_what_one_may_run() -> None:
    assert _rows(overview(REGISTRY, NOBODY)) == [["alone", "cancel, help, whoami"]]
    assert ["task", "list, show"] in _rows(overview(REGISTRY, READER))


def test_the_overview_fits_25_lines_and_names_every_noun() -> None:
    nouns = [f"noun{number}" for number in range(60)]
    many = Registry.of(command(f"{noun} list")(whoami.handler) for noun in nouns)

    rows = _rows(overview(many, READER))

    assert len(rows) + 3 <= 25
    assert set(nouns) == {row[0] for row in rows[:-1]} | set(rows[-1][1].split(", "))


def test_a_noun_shows_its_commands_and_what_is_missing() -> None:
    rows = _rows(of_noun(REGISTRY, "Tasks", READER))

    assert ["task list", "List tasks.", ""] in rows
    assert ["task move", "Move a task to another column.", "needs tasks:write"] in rows


@pytest.mark.parametrize(
    "noun", ["", "tsk", "zzzz", "\x1b[31m", "\ud800", "task list", "x" * 999]
)
def test_an_unknown_noun_is_answered_too(noun: str) -> None:
    reply = of_noun(REGISTRY, noun, NOBODY)

    assert reply.summary.isprintable()
    assert len(reply.summary) <= 150


def test_a_command_starts_with_its_example() -> None:
    reply = of_command(REGISTRY.names["task create"])

    first = reply.blocks[0]
    assert isinstance(first, Code)
    assert first.text == 'task create "Fix login" --lane B'
    assert ["--lane", "A|B|C|D", "C", ""] in _rows(reply)
    assert reply.data["scope"] == "tasks:write"


def test_usage_shows_what_is_required() -> None:
    assert usage(REGISTRY.names["task create"]) == (
        "task create <title> [--lane A|B|C|D] [--needs T-12,...] [--dod text,...]"
    )
    assert usage(REGISTRY.names["run start"]) == (
        "run start <template> [params...] [--lane A|B|C|D]"
    )


def test_everything_lists_all() -> None:
    items = everything(REGISTRY).data["items"]

    assert isinstance(items, list)
    assert len(items) == len(REGISTRY)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("lst", "list"),
        ("lnae", "lane"),
        ("aprove", "approve"),
        ("STATUS", "status"),
        ("assign", "assignee"),
    ],
)
def test_the_nearest_word_comes_first(word: str, expected: str) -> None:
    known = ["list", "lane", "approve", "status", "assignee", "limit"]

    assert nearest(word, known)[0] == expected


def test_nothing_is_near_to_noise() -> None:
    assert nearest("qqqq", ["list", "lane"]) == []
    assert nearest("l" * 100_000, ["list"]) == []
    assert len(nearest("ta", ["tab", "tar", "tag", "tan"])) == 3


@pytest.mark.parametrize(("http", "links"), [("", 0), ("GET /v1/hello", 1)])
def test_only_what_the_reference_has_is_linked_to_it(http: str, links: int) -> None:
    """The page lists routes, so what has none is not on it."""
    asked = command("hello say", http=http)(whoami.handler)

    found = [each for each in of_command(asked).blocks if isinstance(each, Link)]

    assert len(found) == links
