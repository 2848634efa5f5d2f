"""Parameters become what their schema says, or are refused one by one."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.jsons import Json, canonical_json
from core.runs.templates import yamls
from core.runs.templates.params import Resolved, resolve
from core.runs.templates.reading import read

PROPERTIES: Mapping[str, Json] = {
    "env": {"type": "string", "enum": ["staging", "prod"]},
    "count": {"type": "integer", "minimum": 1, "default": 3},
    "share": {"type": "number"},
    "loud": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "ports": {"type": "array", "items": {"type": "integer"}},
    "more": {"type": "object"},
    "level": {"enum": [1, 2, True]},
    "note": {"type": ["string", "null"]},
    "version": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)*$"},
    "odd": {"type": ["integer", "null"]},
}
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3)
    ),
    max_leaves=8,
)


def tried(given: Mapping[str, Json]) -> Resolved:
    text = yamls.dump(
        {
            "name": "hello",
            "params": {"properties": dict(PROPERTIES), "required": ["env"]},
            "steps": [{"name": "a", "uses": "noop"}],
        }
    )
    definition, flaws = read(text)
    assert not flaws
    return resolve(definition, given)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "12", 12),
        ("share", "1.5", 1.5),
        ("share", "2", 2),
        ("loud", "true", True),
        ("loud", "no", False),
        ("tags", "a, b,c", ["a", "b", "c"]),
        ("tags", "", []),
        ("ports", "80,443", [80, 443]),
        ("ports", "[80]", [80]),
        ("more", '{"a": 1}', {"a": 1}),
        ("level", "2", 2),
        ("level", "true", True),
        ("note", "7", "7"),
        ("odd", "", None),
        ("odd", "7", 7),
    ],
)
def test_a_typed_text_becomes_what_its_parameter_is(
    name: str, text: str, value: Json
) -> None:
    """M-RUN-12: `env=prod count=3`."""
    found = tried({"env": "prod", name: text})

    assert list(found.flaws) == []
    assert found.values[name] == value
    assert type(found.values[name]) is type(value)


@pytest.mark.parametrize(
    ("given", "fields", "fix"),
    [
        ({}, ["env"], "env=staging|prod"),
        ({"env": "prd"}, ["env"], "env=prod"),
        ({"env": "prod", "cuont": "1"}, ["cuont"], "count=…"),
        ({"env": "prod", "count": "x"}, ["count"], "count=<integer>"),
        ({"env": "prod", "count": "0"}, ["count"], "count=<integer>"),
        ({"env": "prod", "count": True}, ["count"], "count=<integer>"),
        ({"env": "prod", "count": ""}, ["count"], "count=<integer>"),
        ({"env": "prod", "ports": "80,x"}, ["ports[1]"], "ports=<array>"),
        ({"env": "prod", "version": "1.x"}, ["version"], "version=<string>"),
        ({"env": "prod", "loud": "maybe", "count": "x"}, ["count", "loud"], "count=<integer>"),
        ({"env": "prod", "note": "a\0b"}, ["note"], "leave NUL, lone surrogates and numbers beyond 64 bits out"),
        ({"env": None}, ["env", "env"], "env=staging|prod"),
    ],
)  # fmt: skip
def test_each_problem_names_its_parameter_and_the_fix(
    given: Mapping[str, Json], fields: list[str], fix: str
) -> None:
    """M-RUN-12: all at once."""
    found = tried(given)

    assert sorted(each.field for each in found.flaws) == fields
    assert found.flaws[0].fix == fix


def test_defaults_are_filled_in() -> None:
    assert tried({"env": "prod"}).values == {"env": "prod", "count": 3}


def test_a_pattern_takes_no_longer_than_its_text() -> None:
    """R-19: what backtracks for ever elsewhere is answered at once."""
    text = yamls.dump(
        {
            "name": "hello",
            "params": {"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}},
            "steps": [{"name": "a", "uses": "noop"}],
        }
    )

    found = resolve(read(text).definition, {"x": "a" * 50_000 + "!"})

    assert [each.field for each in found.flaws] == ["x"]


@pytest.mark.parametrize(
    "value", [[{"a": each} for each in range(6_000)], ["x"] * 20_000]
)
def test_what_would_take_long_to_check_is_refused_at_once(value: Json) -> None:
    """R-19."""
    schema = {"type": "array", "uniqueItems": True, "items": {"anyOf": [{}] * 40}}
    text = yamls.dump(
        {
            "name": "hello",
            "params": {"properties": {"x": schema}},  # type: ignore[dict-item]
            "steps": [{"name": "a", "uses": "noop"}],
        }
    )

    found = resolve(read(text).definition, {"x": value})

    assert [each.text for each in found.flaws] == [
        "there is too much to check in the parameters"
    ]


def test_elements_are_told_apart_whatever_they_are() -> None:
    text = """{name: x, steps: [{name: a, uses: noop}],
        params: {properties: {x: {type: array, uniqueItems: true}}}}"""
    definition = read(text).definition

    twice = resolve(definition, {"x": [{"a": 1}, {"a": 1}]})
    apart = resolve(definition, {"x": [{"a": 1}, {"a": 2}, 1, "1"]})

    assert [each.field for each in twice.flaws] == ["x"]
    assert list(apart.flaws) == []


@given(st.dictionaries(st.sampled_from([*PROPERTIES, "other", ""]), JSONS, max_size=5))
def test_anything_given_is_taken_or_refused(given: dict[str, Json]) -> None:
    """R-19: nothing but flaws, and what is taken can be stored."""
    found = tried(given)

    assert canonical_json(found.values)
    assert all(each.text and each.fix for each in found.flaws)
