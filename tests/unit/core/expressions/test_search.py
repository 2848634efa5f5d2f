"""One expression: what it finds, and that it can ask for nothing that hurts."""

import pytest

from core.expressions import check_expression, search
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

PAYLOAD: Json = {"a": {"b": [1, "two"]}, "n": 1}


@pytest.mark.parametrize(
    ("expression", "found"),
    [("a.b", [1, "two"]), ("a.b[1]", "two"), ("nothing", None), ("n == `1`", True)],
)
def test_expression_finds_json(expression: str, found: Json) -> None:
    assert search("x", expression, PAYLOAD) == found


def test_what_does_not_apply_names_its_use() -> None:
    with pytest.raises(InvalidArgument, match="for title cannot be applied"):
        search("title", "sum(a)", PAYLOAD)


def test_one_value_named_many_times_over_is_refused() -> None:
    doubled = "@" + " | [@, @]" * 14

    with pytest.raises(InvalidArgument, match="finds no value that can be used"):
        search("title", doubled, PAYLOAD)


def test_a_part_of_an_expression_is_no_value() -> None:
    with pytest.raises(InvalidArgument, match="finds no value that can be used"):
        search("title", "&a", PAYLOAD)


@pytest.mark.parametrize("expression", ["", "a.", "a b", "sum(", "x" * 301])
def test_expression_that_could_never_work_is_refused(expression: str) -> None:
    with pytest.raises(InvalidArgument, match="title"):
        check_expression("title", expression)


def test_text_beside_a_number_is_refused_in_words() -> None:
    with pytest.raises(InvalidArgument, match="for filter cannot be applied"):
        search("filter", "text > `3`", {"text": "high"})
