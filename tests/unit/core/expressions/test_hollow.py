"""What is in a text with expressions, and whether they have put anything into it."""

import pytest

from core.expressions import fill
from core.expressions.templates import expressions_in, has_found_nothing


def test_the_expressions_of_a_text_are_listed() -> None:
    assert expressions_in("{a} and {{b}} and {c.d}{e}") == ["a", "c.d", "e"]
    assert expressions_in("{}") == []


@pytest.mark.parametrize(
    ("template", "nothing"),
    [
        ("Alert {name}", True),
        ("{name}{place}", True),
        ("{{{name}}}", True),
        ("{empty}", True),
        ("{name} on {host}", False),
        ("{name || 'none'}", False),
        ("no expression", False),
        ("{{name}}", False),
    ],
)
def test_a_text_into_which_nothing_was_put_is_known(
    template: str, nothing: bool
) -> None:
    filled = fill("title", template, {"host": "web-1", "empty": ""})

    assert has_found_nothing(template, filled) is nothing
