"""The command of an alias: cut once, and filled without being read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.alias_templates import Value, fill, parse_template, slots_in, unfilled
from commands.names import index_of
from commands.plan import Plan
from commands.tokens import Form
from core.kernel.problems import InvalidArgument
from tests.unit.commands.sample import REGISTRY

PLAN: Plan = index_of(REGISTRY).phrases["task create"]


def filled(line: str, **values: str) -> list[tuple[str, str, Form]]:
    said = {name: Value(text) for name, text in values.items()}
    tokens = fill(parse_template(line), said, PLAN).tokens
    return [(each.key, each.text, each.form) for each in tokens[2:]]


def test_slots_are_named_in_order_and_once() -> None:
    template = parse_template('task create "{b} {a} {b}" --lane={a}')

    assert template.slots == ("b", "a")


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("task create {x}", [("", "web", Form.WORD)]),
        ("task create app-{x}", [("", "app-web", Form.WORD)]),
        ('task create "a {x}"', [("", "a web", Form.QUOTED)]),
        ("task create '{x}'", [("", "web", Form.QUOTED)]),
        ("task create --lane={x}", [("--lane", "web", Form.WORD)]),
        ("task create lane={x}", [("lane", "web", Form.WORD)]),
        ("task create app={x}", [("", "app=web", Form.QUOTED)]),
        ('task create app="{x}"', [("", "app=web", Form.QUOTED)]),
        ('task create {"title":["{x}",1]}', [("", '{"title":["web",1]}', Form.JSON)]),
        ('task create "{{x}}{x}"', [("", "{x}web", Form.QUOTED)]),
        ("task create --lane B {x}", [
            ("--lane", "", Form.FLAG), ("", "B", Form.WORD), ("", "web", Form.WORD)]),
    ],
)  # fmt: skip
def test_a_value_stands_where_its_slot_was(
    line: str, tokens: list[tuple[str, str, Form]]
) -> None:
    values = {"x": "web"} if "{x}" in line else {}

    assert filled(line, **values) == tokens


@given(value=st.text(max_size=20))
def test_what_is_no_plain_word_is_never_one_again(value: str) -> None:
    template = parse_template("task create {x} --lane {x}")

    line = fill(template, {"x": Value(value, is_plain=False)}, PLAN)

    values = [each for each in line.tokens if each.form is Form.QUOTED]
    assert [each.text for each in values] == [value, value]
    assert len(line.tokens) == 5
    assert all(each.start < each.end <= len(line.text) for each in line.tokens)


def test_slots_left_as_they_are_can_be_found_again() -> None:
    line = unfilled(parse_template("task create {a} --dod x,{b}"), PLAN)

    assert [slots_in(each.text) for each in line.tokens] == [[], [], ["a"], [], ["b"]]
    assert slots_in({"k": [line.tokens[2].text]}) == ["a"]
    assert slots_in([1, None]) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not one command"),
        ("task create 'x", "not closed"),
        ('task create {"a":', "not closed"),
        ("task create x\ntask list", "not one command"),
        ('task create {"{a}":1}', "name of a JSON field"),
        ('task create {"a":[{"b{x}":1}]}', "name of a JSON field"),
        ("task create \ue000a\ue001", "nobody can type"),
    ],
)
def test_what_is_no_command_line_is_refused(line: str, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        parse_template(line)
