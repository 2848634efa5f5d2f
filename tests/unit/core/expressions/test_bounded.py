"""A short expression cannot ask for more than a computer holds."""

import pytest

from core.expressions import search
from core.expressions.bounded import TooManySteps, search_bounded
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

DOUBLES_A_LIST = "|".join(["[@,@][]"] * 36)
DOUBLES_A_TEXT = "|".join(["join('',[@,@])"] * 19)


def test_a_list_that_doubles_with_every_step_is_given_up() -> None:
    with pytest.raises(TooManySteps):
        search_bounded(DOUBLES_A_LIST, ["x"])


def test_a_text_that_doubles_with_every_step_is_given_up() -> None:
    with pytest.raises(TooManySteps):
        search_bounded(DOUBLES_A_TEXT, "x" * 10_000)


def test_a_long_list_is_searched() -> None:
    payload: Json = [{"size": number} for number in range(20_000)]

    assert len(search_bounded("[?size>`3`].size", payload)) == 19_996


def test_giving_up_is_told_as_an_expression_that_cannot_be_applied() -> None:
    with pytest.raises(InvalidArgument, match="expression for title"):
        search("title", DOUBLES_A_LIST, ["x"])
