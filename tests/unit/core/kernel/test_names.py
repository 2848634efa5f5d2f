"""Names that people give: which there are, and why another is none."""

import pytest

from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument


def refused(text: str) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as refusal:
        require_name("a webhook", text, such_as="deploys", taken={"sets"})
    return refusal.value


@pytest.mark.parametrize("text", ["a", "9", "deploys", "m-0", "abc-1", "m-410-x"])
def test_good_names_are_given_back(text: str) -> None:
    assert require_name("a webhook", text, such_as="deploys") == text


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "ä", "a" * 41, "a\n"])
def test_what_is_no_name_is_told_what_one_is(text: str) -> None:
    problem = refused(text)

    assert problem.fix == ("use 1 to 40 of a-z, 0-9 and -, such as deploys",)
    assert repr(text) in problem.detail


@pytest.mark.parametrize("text", ["m-410", "w-1", "ap-7"])
def test_what_looks_like_an_id_is_refused_for_that(text: str) -> None:
    """The fix is one that the name did not satisfy already."""
    problem = refused(text)

    assert problem.detail == (
        f"'{text}' is not a name for a webhook: "
        f"it could be taken for the id {text.upper()}"
    )
    (fix,) = problem.fix
    assert require_name("a webhook", fix.split()[-1], such_as="x") == f"my-{text}"


def test_what_is_taken_is_refused_for_that() -> None:
    problem = refused("sets")

    assert "already means something else" in problem.detail
    assert problem.fix == ("use another, such as deploys",)
