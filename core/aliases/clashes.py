"""Whether two formats accept one line: walked through both at once, and so decided."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count
from typing import NamedTuple

from core.aliases.formats import Pattern, Said


class _Step(NamedTuple):
    """Where two walks over the same words have come; what they make of one differs."""

    one: int
    other: int
    differs: bool = False


_Trail = Mapping[_Step, tuple[_Step, str] | None]


def find_common(one: Pattern, other: Pattern) -> str:
    """Write a shortest line that two formats accept; "" when there is none.

    Units:  visits each pair of their states once, which are some 1,000 at most.
    """
    if one.first != other.first:
        return ""
    return _search(one, other, must_differ=frozenset({False, True}))


def find_double(pattern: Pattern) -> str:
    """Write a line in which one format finds two different sets of values; "" if none."""
    return _search(pattern, pattern, must_differ=frozenset({True}))


def _search(one: Pattern, other: Pattern, *, must_differ: frozenset[bool]) -> str:
    vocabulary = sorted(one.vocabulary | other.vocabulary)
    value = _value_outside(vocabulary)
    start = _Step(0, 0)
    trail: dict[_Step, tuple[_Step, str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        step = waiting.popleft()
        ends = one.states[step.one].is_end and other.states[step.other].is_end
        if ends and step.differs in must_differ:
            return " ".join(_words_to(step, trail))
        for word in chain([value], vocabulary):
            for following in _next(one, other, step, word):
                if following not in trail:
                    trail[following] = step, word
                    waiting.append(following)
    return ""


def _next(one: Pattern, other: Pattern, step: _Step, word: str) -> Iterator[_Step]:
    said = Said(word)
    targets, slot = one.states[step.one].next(said)
    others, other_slot = other.states[step.other].next(said)
    differs = step.differs or slot != other_slot
    for target in sorted(targets):
        for other_target in sorted(others):
            yield _Step(target, other_target, differs)


def _words_to(step: _Step, trail: _Trail) -> Sequence[str]:
    words: list[str] = []
    while came := trail[step]:
        step, word = came
        words.append(word)
    return words[::-1]


def _value_outside(vocabulary: Sequence[str]) -> str:
    """Choose a word that is no literal, to stand for every such word."""
    names = chain(["x"], (f"x{number}" for number in count(1)))
    return next(name for name in names if name not in vocabulary)
