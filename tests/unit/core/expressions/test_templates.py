"""Texts with expressions in them: what is put in, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.expressions import check_template, fill
from core.kernel.problems import InvalidArgument


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {name}", "Hello ann"),
        ("{{name}}", "{name}"),
        ("{missing || 'nobody'}", "nobody"),
        ("{parts}", '["a"]'),
        ("{missing}", ""),
    ],
)
def test_places_are_filled(template: str, text: str) -> None:
    check_template("result", template)

    assert fill("result", template, {"name": "ann", "parts": ["a"]}) == text


@given(value=st.text(max_size=40))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert fill("result", "<{name}>", {"name": value}) == f"<{value}>"


@pytest.mark.parametrize(
    "template", ["{", "}", "{a", "{}", "{a.}", "{% for x in y %}", "x" * 2_001]
)
def test_text_that_could_never_be_filled_is_refused(template: str) -> None:
    with pytest.raises(InvalidArgument, match="result"):
        check_template("result", template)
