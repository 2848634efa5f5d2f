"""Where a command may stand in a mail, and how far it goes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.email.lines import find_commands, pairs_of
from commands import parser
from commands.everything import COMMANDS
from commands.registry import Registry
from core.kernel.problems import Problem
from tests.unit.channels.email.letters import NOW, a_mail, commands_in, lines_of, parsed

REGISTRY = Registry.of(COMMANDS)


def meaning(line: str) -> object:
    """Understand a line as every door does, or say why it cannot be."""
    try:
        found = parser.parse(line, REGISTRY, now=NOW)
    except Problem as problem:
        return type(problem), problem.detail
    return found.canonical, dict(found.args)


def test_commands_stand_on_top() -> None:
    found = find_commands("\n!task list\n/task show T-1\n\n!whoami\n\nSee you.\nAnn")

    assert found.commands == ("!task list", "!task show T-1", "!whoami")
    assert found.rest == "See you.\nAnn"


def test_commands_stand_at_the_bottom() -> None:
    found = find_commands("Hi Ops,\nplease do this:\n\n!task list\n!whoami\n\n")

    assert found.commands == ("!task list", "!whoami")
    assert found.rest == "please do this:"


def test_commands_in_the_middle_are_prose() -> None:
    text = "Bob said\n!task delete T-1\nand I disagree."

    assert find_commands(text).commands == ()
    assert find_commands(text).rest == text


def test_commands_on_top_leave_the_bottom_alone() -> None:
    assert find_commands("!task list\n\nBob said:\n!task delete T-1").commands == (
        "!task list",
    )


@pytest.mark.parametrize(
    "end", ["thanks", "Thanks!", "quit", "STOP", "--", "stop.", "-- Ann"]
)
def test_word_of_leave_ends_the_commands(end: str) -> None:
    assert find_commands(f"!task list\n{end}\n!task delete T-1").commands == (
        "!task list",
    )


def test_text_without_its_end_has_no_last_lines() -> None:
    assert find_commands("Hello\n!task list", is_whole=False).commands == ()


@pytest.mark.parametrize(
    "line",
    [
        "! task list",
        "!",
        "!!task list",
        "- !task list",
        "* !task list",
        "    !task list",
        "/usr/bin/env is missing",
        "//task list",
        "/ops",
        "task list",
        "\u202e!task list",
        "x!task list",
        "¡task list",
    ],
)
def test_what_only_looks_like_a_command_is_prose(line: str) -> None:
    assert find_commands(line).commands == ()


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("！task list", "!task list"),
        ("\ufeff!task list", "!task list"),
        ("\u200b\u200e!task list  ", "!task list"),
        ("/ops task list", "/ops task list"),
        ("@ops: task list", "@ops: task list"),
        ('!{"command": "task.list"}', '!{"command": "task.list"}'),
    ],
)
def test_marks_that_phones_and_people_make(line: str, command: str) -> None:
    assert find_commands(line).commands == (command,)


def test_quote_that_is_open_goes_on_below() -> None:
    text = '!task note T-1 "one\n\n!task delete T-1\nstop\ntwo" \n!task list\nBye'

    assert find_commands(text).commands == (
        '!task note T-1 "one\n\n!task delete T-1\nstop\ntwo"',
        "!task list",
    )


def test_json_that_is_open_goes_on_below() -> None:
    text = '!task create {"title": "a }\\" b",\n "lane": "B"}\n!task list'

    assert find_commands(text).commands == (
        '!task create {"title": "a }\\" b",\n "lane": "B"}',
        "!task list",
    )


def test_quote_that_is_never_closed_takes_nothing_along() -> None:
    text = "!task note T-1 'tis so\n!task list"

    assert find_commands(text).commands == ("!task note T-1 'tis so", "!task list")


def test_line_that_begins_with_a_flag_belongs_to_the_command_above() -> None:
    text = '!task create "Fix login"\n  --lane B\n  —dod tests\n!task list'

    assert find_commands(text).commands == (
        '!task create "Fix login" --lane B —dod tests',
        "!task list",
    )


def test_what_a_line_says_by_name() -> None:
    line = '!task create "--lane A" --lane B --dod=tests title=\'x y\' —tags “a b” {"lane": "C"}'

    assert list(pairs_of(line)) == [
        ("lane", "B"),
        ("dod", "tests"),
        ("title", "x y"),
        ("tags", "a b"),
    ]


@pytest.mark.parametrize(
    "line", [line for command in COMMANDS for line in command.examples]
)
def test_every_example_can_be_sent_by_mail(line: str) -> None:
    """`R-18`."""
    assert commands_in(f"!{line}\n\nBest regards\nAnn\n") == [f"!{line}"]


WORDS = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=["Cs", "Cc"])
    | st.sampled_from("\"'\\={}[]“”‘’ -—"),
    max_size=40,
)


@settings(deadline=None, max_examples=300)
@given(WORDS)
@example('a "quoted" title')
@example("don't")
@example("\\")
def test_line_means_the_same_as_at_every_other_door(words: str) -> None:
    """`R-18`: a line of a mail is the line that was written."""
    line = f'task create {words} --dod "a, b"'

    found = lines_of(parsed(a_mail(f"!{line}\n")))

    assert len(found) == 1
    assert meaning(found[0]) == meaning(f"!{line}")


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])),
        min_size=1,
        max_size=5,
    )
)
def test_quoted_text_arrives_as_it_was_quoted(lines: list[str]) -> None:
    """`R-18`: quotes, backslashes and line breaks inside quotes stay what they are.

    But for lines that begin like a quote or a signature: in mail these always are one.
    """
    text = "\n".join(f"a {line} z" for line in lines)
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    line = f'!task note T-1 "{text}"'

    assert commands_in(f"{line}\n!task list\n") == [line, "!task list"]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_is_a_fault(text: str) -> None:
    found = find_commands(text)

    assert all(command[0] in "!/@" for command in found.commands)
