"""A team's book of aliases: what it hears in a line, and how it is read and shared."""

import pytest

from commands.alias_book import NO_ALIASES, Book, Heard, book_of
from commands.tokens import tokenise
from core.aliases import service as aliases
from core.aliases.model import Alias, Definition, Format
from core.database import Database
from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument, UnknownCommand, UnknownFlag
from tests.unit.commands.sample import NOW


def an_alias(name: str, *formats: Format, command: str = "task list") -> Alias:
    definition = Definition(formats=formats, command=command)
    return Alias(name=name, definition=definition, created_by="ann", created_at=NOW)


BOOK = Book(
    [
        an_alias(
            "deploy",
            Format(match="deploy {app} [to] {env=staging}", display="deploy APP"),
            Format(match="release {app} now"),
            command="task create {app}",
        ),
        an_alias("jot", Format(match="jot {text:rest}"), command="task create {text}"),
        an_alias("broken", Format(match="broken"), command="task create '"),
    ]
)


def heard(line: str) -> Heard:
    found = BOOK.hear(line, tokenise(line))
    assert found is not None
    return found


def values(line: str) -> dict[str, str]:
    return {name: value.text for name, value in heard(line).values.items()}


def flags(line: str) -> list[str]:
    return [each.key or each.text for each in heard(line).flags]


def test_each_format_is_a_spelling_of_its_alias() -> None:
    line = heard("release web now")

    assert line.spelling.alias.name == "deploy"
    assert line.spelling.format.match == "release {app} now"


def test_what_cannot_be_read_is_left_out() -> None:
    assert {each.alias.name for each in BOOK} == {"deploy", "jot"}


def test_an_empty_book_hears_nothing() -> None:
    assert not NO_ALIASES
    assert NO_ALIASES.hear("deploy web", tokenise("deploy web")) is None
    assert NO_ALIASES.near("deploy") == []


@pytest.mark.parametrize(
    "line", ["", '"deploy" web', "deploy=1 web", "--deploy web", '{"deploy":1}', "T-1"]
)
def test_a_line_that_does_not_begin_with_a_plain_word_is_none(line: str) -> None:
    assert BOOK.hear(line, tokenise(line)) is None


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("deploy web", []),
        ("deploy web --dry-run prod", ["--dry-run"]),
        ("deploy web --reason why prod", ["--reason", "why"]),
        ("deploy web --reason=why prod", ["--reason"]),
        ("deploy -o json web", ["-o", "json"]),
        ("deploy web --wait prod", ["--wait"]),
        ("deploy web --wait 5m prod", ["--wait", "5m"]),
        ("deploy web --Dry_Run", ["--Dry_Run"]),
        ("deploy web --reason", ["--reason"]),
        ("deploy web --reason --yes", ["--reason", "--yes"]),
        ("deploy web —dry-run", ["--dry-run"]),
    ],
)
def test_flags_of_every_command_are_taken_with_their_values(
    line: str, given: list[str]
) -> None:
    assert flags(line) == given


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("jot  a   b ", "a   b"),
        ("jot a\nb", "a\nb"),
        ("jot 'a b'", "a b"),
        ("jot 'a b' c", "'a b' c"),
        ("jot x='a b'", "x='a b'"),
        ("jot --yes a --wait 5m b --dry-run -o json", "a --wait 5m b"),
        ('jot {"a": 1}', '{"a": 1}'),
    ],
)
def test_a_rest_is_as_it_was_written(line: str, text: str) -> None:
    assert values(line) == {"text": text}


@pytest.mark.parametrize("line", ["jot --yes", "jot --reason a"])
def test_flags_alone_are_no_rest(line: str) -> None:
    with pytest.raises(UnknownCommand):
        heard(line)


def test_a_rest_does_not_begin_with_what_only_looks_like_a_flag() -> None:
    with pytest.raises(UnknownFlag):
        heard("jot --nope a")


def test_defaults_are_values_too() -> None:
    assert values("deploy web") == {"app": "web", "env": "staging"}


def test_an_open_quote_is_refused_by_a_line_that_is_meant() -> None:
    with pytest.raises(InvalidArgument):
        heard("deploy 'web")


def test_what_is_near_is_told_as_it_is_displayed() -> None:
    assert BOOK.near("deplyo") == ["deploy APP"]
    assert BOOK.near("relaese") == ["release {app} now"]
    assert BOOK.near("entirely") == []


def test_reads_of_one_version_share_a_book(db: Database, ann: Principal) -> None:
    def make(name: str) -> None:
        definition = Definition(formats=(Format(match=name),), command="task list")
        db.run(lambda tx: aliases.create(tx, name, definition), by=ann)

    make("one")
    first, again = (db.look(book_of, by=ann) for _ in range(2))
    make("two")
    later = db.look(book_of, by=ann)

    assert first is again
    assert [each.alias.name for each in later] == ["one", "two"]
