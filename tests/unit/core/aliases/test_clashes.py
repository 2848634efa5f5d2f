"""Whether two formats share a line, against trying every line of a small language."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.aliases.clashes import find_common, find_double
from core.aliases.formats import Pattern, Said, folded, parse_format

# "x" stands for every word that is in no format.
LINES = [
    [Said("go"), *map(Said, words)]
    for length in range(6)
    for words in product("abx", repeat=length)
]
WORDS = st.sampled_from(["a", "b", "[a]", "[b]", "[a b]", "[b a]"])
ENDS = st.sampled_from(
    ["", "{r:rest}", "{d=1}", "{d=1} {e=2}", "{d=1} [a]", "[a] {d=1}"]
)


@st.composite
def formats(draw: st.DrawFn) -> Pattern:
    parts = draw(st.lists(WORDS | st.just("{}"), max_size=4))
    named = [f"{{p{at}}}" if part == "{}" else part for at, part in enumerate(parts)]
    return parse_format(" ".join(["go", *named, draw(ENDS)]))


def accepts(pattern: Pattern, line: str) -> bool:
    return pattern.match([Said(folded(word)) for word in line.split()]) is not None


@settings(max_examples=300, deadline=None)
@given(one=formats(), other=formats())
def test_a_shared_line_is_found_exactly_when_there_is_one(
    one: Pattern, other: Pattern
) -> None:
    shared = [
        line
        for line in LINES
        if one.match(line) is not None and other.match(line) is not None
    ]

    found = find_common(one, other)

    if found:
        assert accepts(one, found)
        assert accepts(other, found)
    assert bool(shared) <= bool(found)
    # A shortest line is found, so one of ours is never missed for a longer one.
    assert not shared or len(found.split()) == min(map(len, shared))


@settings(max_examples=300, deadline=None)
@given(pattern=formats())
def test_what_reads_no_line_in_two_ways_has_one_meaning(pattern: Pattern) -> None:
    assume(not find_double(pattern))

    for line in LINES:
        assert len(set(_meanings(pattern, line))) <= 1


def _meanings(pattern: Pattern, line: list[Said]) -> list[tuple[str, ...]]:
    """List what each word of a line is a value of, in every way through a format."""
    ways: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    for said in line:
        steps = [(*pattern.states[state].next(said), slots) for state, slots in ways]
        ways = [
            (target, (*slots, slot))
            for targets, slot, slots in steps
            for target in targets
        ]
    return [slots for state, slots in ways if pattern.states[state].is_end]


@pytest.mark.parametrize(
    ("one", "other", "line"),
    [
        ("deploy {app}", "deploy {app} [to] {env=staging}", "deploy x"),
        ("deploy {app}", "deploy all", "deploy all"),
        ("deploy {app} now", "deploy {app} {env}", "deploy x now"),
        ("Deploy {app}", "dePLOY {other}", "Deploy x"),
        ("say {text:rest}", "say hello {who}", "say hello x"),
        ("x {a}", "x x1", "x x1"),
    ],
)
def test_an_example_is_given(one: str, other: str, line: str) -> None:
    assert find_common(parse_format(one), parse_format(other)) == folded(line)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deploy {app}", "deploy {app} {env}"),
        ("deploy {app}", "release {app}"),
        ("deploy web", "deploy api"),
        ("deploy {app} to {env}", "deploy {app} now"),
        ("say {text:rest}", "say"),
    ],
)
def test_formats_without_a_shared_line_live_together(one: str, other: str) -> None:
    assert not find_common(parse_format(one), parse_format(other))


def test_an_optional_part_may_be_ambiguous_when_the_values_are_the_same() -> None:
    assert not find_double(parse_format("go [a] [a] {x}"))
    assert not find_double(parse_format("deploy {app} [to] {env=staging}"))


def test_one_format_that_means_two_things_is_told_by_an_example() -> None:
    assert find_double(parse_format("go [a] [a b] {x=1}")) == "go a b"


def test_the_largest_formats_are_decided() -> None:
    one = parse_format("go " + " ".join(f"[a b c{n} d e]" for n in range(10)))
    other = parse_format("go " + " ".join(f"{{p{n}}}" for n in range(15)))

    assert find_common(one, other)
