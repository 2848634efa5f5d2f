"""How an alias is written: literal words, optional ones, and slots for values; pure.

A format is read into a small automaton over the words of a line. What is a literal word
somewhere is never a value there (quote it to mean one), so that a line has one
meaning, and whether two formats accept one line can be decided.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from core.kernel.problems import InvalidArgument

MATCH_LIMIT = 200
_MOST_PARTS = 20
_NOWHERE = -1

_PART = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|\S+")
_WORD = re.compile(r"[^\W_][\w.-]{0,39}")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]{0,39})(?:(:rest)|=([^{}]*))?\}")
_SHAPE = "deploy {app} [to] {env=staging}"


class Said(NamedTuple):
    """One word of a line, as far as formats care.

    Shape:  `word` is "" for what was quoted, which is a value and nothing else. A flag
            that no command knows is part of a text, or nothing.
    """

    word: str = ""
    is_flag: bool = False


class Slot(NamedTuple):
    """Where a value stands; one without a `default` must be given."""

    name: str
    default: str | None = None
    is_rest: bool = False


class Binding(NamedTuple):
    """The slot that a word of the line is a value of; a rest begins at this word."""

    slot: str
    at: int


@dataclass(frozen=True, slots=True)
class _State:
    """What may come next: literal words, or one value; each leads to other states."""

    words: Mapping[str, frozenset[int]]
    slot: str = ""
    after: int = _NOWHERE
    takes_flags: bool = False
    is_end: bool = False

    def next(self, said: Said) -> tuple[frozenset[int], str]:
        """Tell where a word leads, and the slot it is a value of, "" for a literal."""
        if said.word in self.words:
            return self.words[said.word], ""
        if self.slot and (self.takes_flags or not said.is_flag):
            return frozenset({self.after}), self.slot
        return frozenset(), ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A format, read.

    Shape:  `first` is the word it begins with, `vocabulary` all its literal words,
            `slots` those for values, in order. State 0 is the start.
    """

    first: str
    vocabulary: frozenset[str]
    slots: tuple[Slot, ...]
    states: tuple[_State, ...]

    def match(self, line: Sequence[Said]) -> Sequence[Binding] | None:
        """Tell which word is a value of which slot; None when the line is another."""
        reached: dict[int, tuple[Binding, ...]] = {0: ()}
        for at, said in enumerate(line):
            further: dict[int, tuple[Binding, ...]] = {}
            for state, bound in reached.items():
                targets, slot = self.states[state].next(said)
                further.update(
                    dict.fromkeys(targets - further.keys(), _with(bound, slot, at))
                )
            reached = further
        ends = (reached[each] for each in sorted(reached) if self.states[each].is_end)
        return next(ends, None)


def _with(bound: tuple[Binding, ...], slot: str, at: int) -> tuple[Binding, ...]:
    """Add what a word is a value of, unless it only goes on with a rest."""
    is_known = not slot or (bound and bound[-1].slot == slot)
    return bound if is_known else (*bound, Binding(slot, at))


def folded(word: str) -> str:
    """Write a word as formats compare it."""
    return normalize("NFC", word).casefold()


@lru_cache(maxsize=4_096)
def parse_format(match: str) -> Pattern:
    """Read a format such as `deploy {app} [to] {env=staging}`.

    Raises: InvalidArgument quoting the part that is wrong, and what it should be.
    """
    if len(match) > MATCH_LIMIT:
        raise _wrong(match, f"has more than {MATCH_LIMIT} characters")
    composed = normalize("NFC", match)
    parts = [_part(match, found[0]) for found in _PART.finditer(composed)]
    if not parts or not isinstance(parts[0], str):
        raise _wrong(match, "does not begin with a word")
    if len(parts) > _MOST_PARTS:
        raise _wrong(match, f"has more than {_MOST_PARTS} parts")
    slots = [each for each in parts if isinstance(each, Slot)]
    names = [each.name for each in slots]
    if twice := [name for name in names if names.count(name) > 1]:
        raise _wrong(match, f"has {{{twice[0]}}} twice")
    _require_order(match, parts)
    return Pattern(
        first=parts[0],
        vocabulary=frozenset(_words(parts)),
        slots=tuple(slots),
        states=tuple(_Builder(parts).states),
    )


_Part = str | tuple[str, ...] | Slot


def _part(match: str, text: str) -> _Part:
    """Read one part: a word, optional words, or a slot."""
    if text.startswith("{"):
        found = _SLOT.fullmatch(text)
        if found is None:
            raise _wrong(match, f"has {text!r}, which is no slot for a value")
        return Slot(found[1], found[3], is_rest=bool(found[2]))
    if not (text.startswith("[") and text.endswith("]")):
        return _word(match, text)
    words = text[1:-1].split()
    if not words:
        raise _wrong(match, "has an empty [ ]")
    return tuple(_word(match, each) for each in words)


def _word(match: str, text: str) -> str:
    if not _WORD.fullmatch(text):
        raise _wrong(match, f"has {text!r}, which is no plain word")
    return folded(text)


def _words(parts: Sequence[_Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif not isinstance(part, Slot):
            yield from part


def _require_order(match: str, parts: Sequence[_Part]) -> None:
    """Refuse what stands behind a slot that ends the line, or may be left out."""
    ender: Slot | None = None
    for part in parts:
        if ender is not None and (ender.is_rest or not _may_be_left_out(part)):
            raise _wrong(match, f"goes on behind {{{ender.name}}}, which must end it")
        if isinstance(part, Slot) and (part.is_rest or part.default is not None):
            ender = part


def _may_be_left_out(part: _Part) -> bool:
    if isinstance(part, Slot):
        return part.default is not None
    return not isinstance(part, str)


class _Builder:
    """Numbers the slots between parts, and says what may come next at each."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts
        self._inner: list[_State] = []
        self._groups = {
            at: self._group(at, part)
            for at, part in enumerate(parts)
            if isinstance(part, tuple) and not isinstance(part, Slot)
        }
        self.states = [*map(self._outer, range(len(parts) + 1)), *self._inner]

    def _group(self, at: int, words: Sequence[str]) -> int:
        """Add the states inside of optional words; give the one behind the first."""
        target = at + 1
        for word in reversed(words[1:]):
            self._inner.append(_State(words={word: frozenset({target})}))
            target = len(self._parts) + len(self._inner)
        return target

    def _outer(self, at: int) -> _State:
        """Say what may come before part `at`, when what may be left out is."""
        words: dict[str, frozenset[int]] = {}
        slot, after = "", _NOWHERE
        is_defaulted = False
        for index in range(at, len(self._parts)):
            part = self._parts[index]
            if isinstance(part, Slot):
                if not is_defaulted:
                    slot, after, is_defaulted = part.name, index + 1, True
            else:
                first = part if isinstance(part, str) else part[0]
                target = self._groups.get(index, index + 1)
                words[first] = words.get(first, frozenset()) | {target}
            if not _may_be_left_out(part):
                return _State(words=words, slot=slot, after=after)
        return self._last(at) or _State(
            words=words, slot=slot, after=after, is_end=True
        )

    def _last(self, at: int) -> _State | None:
        """Behind the slot for a rest, everything belongs to it."""
        part = self._parts[at - 1] if at == len(self._parts) else ""
        if not isinstance(part, Slot) or not part.is_rest:
            return None
        return _State(words={}, slot=part.name, after=at, takes_flags=True, is_end=True)


def _wrong(match: str, what: str) -> InvalidArgument:
    return InvalidArgument(
        f"the format {match[:MATCH_LIMIT]!r} {what}",
        fix=[f"write it like {_SHAPE!r}"],
        argument="match",
    )
