"""Parameters are put in once, keep their type, and are never read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.jsons import Json
from core.runs.model import Step
from core.runs.templates.filling import filled
from core.runs.templates.placeholders import has_strays, put_in, uses_in, written

HOSTILE = st.text(alphabet=" {}'\";|&$`\\\nparms.x-", max_size=40) | st.text(
    max_size=40
)


@pytest.mark.parametrize(
    ("value", "params", "after"),
    [
        ("{{ params.n }}", {"n": 3}, 3),
        ("{{params.n}}", {"n": [1, "a"]}, [1, "a"]),
        ("v{{ params.n }}", {"n": 3}, "v3"),
        ("{{ params.a }}-{{ params.b }}", {"a": True, "b": None}, "true-"),
        (["{{ params.n }}", {"k": "{{ params.n }}"}], {"n": 1.5}, [1.5, {"k": 1.5}]),
        ({"k": 7}, {}, {"k": 7}),
        ("{{ params.gone }}", {}, None),
    ],
)
def test_a_value_that_is_only_a_placeholder_keeps_its_type(
    value: Json, params: dict[str, Json], after: Json
) -> None:
    assert put_in(value, params) == after


@given(HOSTILE)
def test_what_is_put_in_is_never_read_again(text: str) -> None:
    """R-19: a value that looks like a placeholder, or like a shell, stays that text."""
    step = Step(
        name="a",
        uses="shell",
        given={"argv": ["deploy", "--to={{ params.x }}", "{{ params.x }}"]},
        env={"X": "{{ params.x }}"},
    )

    after = filled(step, {"x": text, "y": "no"})

    assert after.given["argv"] == ["deploy", f"--to={text}", text]
    assert after.env == {"X": text}


@given(
    st.one_of(
        st.integers(-9, 9), st.booleans(), st.none(), st.lists(st.text(max_size=5))
    )
)
def test_an_element_of_a_command_is_always_one_text(value: Json) -> None:
    step = Step(name="a", uses="shell", given={"argv": ["x", "{{ params.v }}"]})

    assert filled(step, {"v": value}).given["argv"] == ["x", written(value)]


def test_uses_are_found_with_their_paths() -> None:
    found = list(
        uses_in({"a": ["{{ params.x }} {{ params.y }}"], "b": "{{ foo }}"}, "w")
    )

    assert found == [("w.a[0]", "x"), ("w.a[0]", "y"), ("w.b", "")]


@given(st.text(alphabet="{} params.x", max_size=30))
def test_braces_are_placeholders_or_strays(text: str) -> None:
    assert has_strays(text) or "{{" not in str(put_in(text, {"x": "", "params": ""}))
