"""A short expression cannot ask for more than a computer holds."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.expressions import STEPS_LIMIT, Budget, search
from core.expressions.bounded import search_bounded
from core.expressions.budget import TooMuchWork
from core.expressions.search import EXPRESSION_LIMIT
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

DOUBLES_A_LIST = "|".join(["[@,@][]"] * 36)
DOUBLES_A_TEXT = "|".join(["join('',[@,@])"] * 19)
NAMED_TWICE = "|".join(["[@,@]"] * 40)
# Far below what one of the expressions below would take without a bound.
MOST_BYTES = 64 * 1024 * 1024

PAYLOAD: Json = {
    "a": "x",
    "long": "y" * 5_000,
    "high": "\U0001f600" * 500,
    "texts": ["t"] * 300,
    "numbers": list(range(300)),
    "objects": [{"b": number, "c": "z"} for number in range(300)],
}
GROWS = st.sampled_from(
    [
        "[@,@]",
        "[@,@][]",
        "{a:@,b:@}",
        "map(&[@,@],@)",
        "merge({a:@},{b:@})",
        "to_array(@)",
        "values({a:@,b:@})",
        "[*][]",
        "*",
        "join('',[@,@])",
        "join(to_string(@),['a','b','c','d'])",
        "to_string([@,@])",
        "[to_string(@),to_string(@)]",
        "reverse([@,@])",
        "sort_by([@,@],&to_string(@))",
    ]
)
ENDS = st.sampled_from(
    [
        "@",
        "to_string(@)",
        "join('',@)",
        "contains(@,@)",
        "[[@,@],[@,@]]|[0]==[1]",
        "sort(@)",
        "max(@)",
        "length(@)",
        "[?@==`[1]`]",
        "not_null(@)",
    ]
)
STARTS = st.sampled_from(["@", "a", "long", "high", "texts", "numbers", "objects"])


def spent_on(expression: str, payload: Json) -> TooMuchWork | None:
    """Evaluate an expression; what it is refused for otherwise does not matter here."""
    try:
        search_bounded(expression, payload, Budget())
    except TooMuchWork as fault:
        return fault
    return None


@pytest.mark.parametrize(
    ("expression", "payload"),
    [
        (DOUBLES_A_LIST, ["x"]),
        (DOUBLES_A_TEXT, "x" * 10_000),
        (f"{NAMED_TWICE}|to_string(@)", {"a": "x"}),
        (f"[{NAMED_TWICE},@]|[0]==[0]", {"a": "x"}),
        (f"contains([@],{NAMED_TWICE})", {"a": "x"}),
        ("join(a,b)", {"a": "x" * 500_000, "b": ["y"] * 80_000}),
        ("|".join(["to_string([@,@])"] * 16), '"' * 10_000),
    ],
    ids=[
        "flattened",
        "joined",
        "written out",
        "compared",
        "looked for",
        "separated",
        "escaped",
    ],
)
def test_what_doubles_with_every_step_is_given_up_before_it_is_built(
    expression: str, payload: Json
) -> None:
    tracemalloc.start()
    try:
        assert spent_on(expression, payload) is not None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MOST_BYTES


@settings(max_examples=150, deadline=None)
@given(start=STARTS, grows=st.lists(GROWS, max_size=40), end=ENDS)
def test_whatever_an_expression_is_made_of_it_takes_little_memory(
    start: str, grows: list[str], end: str
) -> None:
    """The whole road, its result written out included."""
    expression = "|".join([start, *grows])[: EXPRESSION_LIMIT - len(end) - 1]
    expression = f"{expression.rpartition('|')[0] or start}|{end}"
    budget = Counting()

    tracemalloc.start()
    try:
        repr(search("x", expression, PAYLOAD, budget=budget))
    except InvalidArgument:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < MOST_BYTES
    assert budget.taken <= STEPS_LIMIT


class Counting(Budget):
    """A budget that counts what was paid for, without the step that was too many."""

    taken = 0

    def spend(self, steps: int) -> None:
        """Count what there was enough for."""
        super().spend(steps)
        self.taken += steps


def test_a_long_list_is_searched() -> None:
    payload: Json = [{"size": number} for number in range(20_000)]

    found = search_bounded("[?size>`3`].size", payload, Budget())

    assert len(found) == 19_996


def test_expressions_that_share_a_budget_end_together() -> None:
    payload: Json = [1] * 100_000
    budget = Budget()

    for _ in range(4):
        assert search("a", "length([*])", payload, budget=budget) == 100_000

    with pytest.raises(InvalidArgument, match="expression for z looks at more"):
        search("z", "length([*])", payload, budget=budget)


def test_a_part_of_a_budget_ends_before_the_whole() -> None:
    payload: Json = [1] * 1_000
    whole = Budget()

    with pytest.raises(TooMuchWork):
        search_bounded("[*]", payload, Budget(500, within=whole))

    assert len(search_bounded("[*]", payload, whole)) == 1_000


def test_giving_up_is_told_as_an_expression_that_looks_at_too_much() -> None:
    with pytest.raises(InvalidArgument, match="expression for title") as given_up:
        search("title", DOUBLES_A_LIST, ["x"])

    assert given_up.value.fix
