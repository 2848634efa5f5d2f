"""Steps come after what they need, and otherwise as they are written."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.runs.templates.graph import circle, order

GRAPHS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefghz"), max_size=4)
)


def test_order_is_stable() -> None:
    assert order({"c": [], "b": ["a"], "a": [], "d": ["c"]}) == (
        ["c", "a", "b", "d"],
        [],
    )


@given(GRAPHS)
def test_each_comes_after_its_needs_or_is_in_a_circle(
    needs: dict[str, list[str]],
) -> None:
    done, left = order(needs)

    assert sorted([*done, *left]) == sorted(needs)
    for place, each in enumerate(done):
        assert {need for need in needs[each] if need in needs} <= set(done[:place])
    if left:
        way = circle(needs, left)
        assert way[0] == way[-1]
        assert all(b in needs[a] for a, b in pairwise(way))
