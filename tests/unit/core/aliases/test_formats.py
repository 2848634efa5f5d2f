"""Formats: how they are written, what they accept, and what they make of a line."""

from collections.abc import Mapping

import pytest

from core.aliases.formats import Said, folded, parse_format
from core.kernel.problems import InvalidArgument

DEPLOY = "deploy {app} [to] {env=staging}"


def values_of(match: str, line: str) -> Mapping[str, str] | None:
    """Match a line whose quoted words stand in `<>`, and whose flags begin with `-`."""
    words = line.split()
    said = [
        Said("", is_flag=word.startswith("-")) if word[0] in "<-" else Said(word)
        for word in map(folded, words)
    ]
    found = parse_format(match).match(said)
    return None if found is None else {each.slot: words[each.at] for each in found}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("deploy web", {"app": "web"}),
        ("deploy web prod", {"app": "web", "env": "prod"}),
        ("deploy web to prod", {"app": "web", "env": "prod"}),
        ("DEPLOY Web TO Prod", {"app": "Web", "env": "Prod"}),
        ("deploy to prod", {"app": "to", "env": "prod"}),
        ("deploy web to", {"app": "web"}),
        ("deploy web <to>", {"app": "web", "env": "<to>"}),
        ("deploy to to to", {"app": "to", "env": "to"}),
        ("deploy <deploy>", {"app": "<deploy>"}),
        ("deploy", None),
        ("<deploy> web", None),
        ("deploy web to prod now", None),
        ("deploy web --force", None),
        ("undeploy web", None),
    ],
)
def test_a_line_gives_the_values_that_its_writer_meant(
    line: str, values: Mapping[str, str] | None
) -> None:
    assert values_of(DEPLOY, line) == values


@pytest.mark.parametrize(
    ("match", "line", "values"),
    [
        ("say {text:rest}", "say a", {"text": "a"}),
        ("say {text:rest}", "say a --b c", {"text": "a"}),
        ("say {text:rest}", "say --b c", None),
        ("say {text:rest}", "say", None),
        ("tell {who} [that] {text:rest}", "tell bob that x y", {"who": "bob", "text": "x"}),
        ("tell {who} [that] {text:rest}", "tell bob that", None),
        ("go {a=1} {b=2}", "go", {}),
        ("go {a=1} {b=2}", "go x", {"a": "x"}),
        ("go {a=1} {b=2}", "go x y", {"a": "x", "b": "y"}),
        ("go {a=1} [now]", "go now", {}),
        ("go {a=1} [now]", "go x now", {"a": "x"}),
        ("go [right now] {a}", "go right now x", {"a": "x"}),
        ("go [right now] {a}", "go x", {"a": "x"}),
        ("go [right now] {a}", "go right", None),
        ("go [please] [now]", "go now", {}),
        ("café {x}", "CAFÉ y", {"x": "y"}),
    ],
)  # fmt: skip
def test_each_part_takes_its_words(
    match: str, line: str, values: Mapping[str, str] | None
) -> None:
    assert values_of(match, line) == values


def test_words_are_compared_however_a_keyboard_composes_them() -> None:
    assert values_of("cafe\u0301 {x}", "caf\u00e9 y") == {"x": "y"}


def test_a_rest_of_two_thousand_words_begins_at_its_first() -> None:
    found = parse_format("say {text:rest}").match([Said("say"), *[Said("a")] * 2_000])

    assert found is not None
    assert [each.at for each in found] == [1]


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        ("", "does not begin with a word"),
        ("{app} up", "does not begin with a word"),
        ("[please] deploy", "does not begin with a word"),
        ("deploy {App}", "no slot for a value"),
        ("deploy {app:all}", "no slot for a value"),
        ("deploy {app", "no slot for a value"),
        ("deploy [", "no plain word"),
        ("deploy []", r"empty \[ \]"),
        ("deploy [{app}]", "no plain word"),
        ("deploy 'web'", "no plain word"),
        ("deploy a=b", "no plain word"),
        ("deploy --force", "no plain word"),
        ("deploy/web", "no plain word"),
        ("deploy {app} {app}", "twice"),
        ("deploy {env=x} to", "must end it"),
        ("deploy {env=x} {app}", "must end it"),
        ("deploy {env=x} {text:rest}", "must end it"),
        ("say {text:rest} now", "must end it"),
        ("say {text:rest} [now]", "must end it"),
        ("a" * 201, "more than 200 characters"),
        ("deploy " + "x " * 20, "more than 20 parts"),
    ],
)
def test_what_is_no_format_is_refused_with_its_reason(match: str, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        parse_format(match)
