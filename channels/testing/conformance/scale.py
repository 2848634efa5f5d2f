"""The quality scale: what each level asks of a channel, and what a channel reaches.

A channel keeps a `quality.toml` beside its code. It declares a level, and names for each
criterion where that is shown: a test file, one test (`file::name`), or for a few of them
a page of the documentation.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from channels.base import Capabilities


class Level(IntEnum):
    """How far a channel has come."""

    NONE = 0
    BRONZE = 1
    SILVER = 2
    GOLD = 3
    PLATINUM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing to be shown.

    Shape:  `needs` names a capability; a channel without it is not asked. What is no
            test can only show what `is_prose`.
    """

    name: str
    asks: str
    needs: str = ""
    is_prose: bool = False

    def is_asked(self, capabilities: Capabilities) -> bool:
        """Tell whether a channel with these capabilities has to show it."""
        return not self.needs or bool(getattr(capabilities, self.needs))


SCALE: Mapping[Level, Sequence[Criterion]] = {
    Level.BRONZE: (
        Criterion(name="parses", asks="the thirty examples are understood"),
        Criterion(name="verifies", asks="nobody is let in without a proof"),
        Criterion(name="dedupes", asks="the same message again runs nothing again"),
    ),
    Level.SILVER: (
        Criterion(name="reconnects", asks="it goes on after a loss, and loses nothing"),
        Criterion(name="rate_limited", asks="a flood is held back, and said so once"),
        Criterion(name="health", asks="it says how it fares, and what would help"),
        Criterion(
            name="permissions", asks="what it is allowed is written down", is_prose=True
        ),
    ),
    Level.GOLD: (
        Criterion(
            name="native_buttons", asks="actions are its own buttons", needs="buttons"
        ),
        Criterion(
            name="confirmation", asks="it asks before a risky command", needs="buttons"
        ),
        Criterion(
            name="edited_progress", asks="progress is one edited message", needs="edit"
        ),
        Criterion(name="setup_test", asks="a test walks a whole round trip"),
        Criterion(name="simulator", asks="it works without any account", is_prose=True),
    ),
    Level.PLATINUM: (
        Criterion(name="strict_types", asks="it is typed throughout", is_prose=True),
        Criterion(name="faults", asks="it is tested under outages"),
        Criterion(name="accessible", asks="its answers can be read aloud"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What a channel declares, and where it shows which criterion."""

    channel: str
    level: Level
    shown: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a channel reaches, and what the next level still lacks."""

    level: Level
    missing: Sequence[str]


IsShown = Callable[[str, Criterion], bool]


def read_quality(path: Path) -> Quality:
    """Read a channel's `quality.toml`.

    Raises: ValueError naming a level or criterion that the scale does not know.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    channel, level = str(raw.pop("channel")), str(raw.pop("level")).upper()
    if level not in Level.__members__:
        raise ValueError(f"{path}: {level} is no level")
    shown = {
        name: [proof] if isinstance(proof, str) else list(proof)
        for section, proofs in raw.items()
        for name, proof in _known(path, section, proofs).items()
    }
    return Quality(channel=channel, level=Level[level], shown=shown)


def _known(
    path: Path, section: str, proofs: Mapping[str, str | Sequence[str]]
) -> Mapping[str, str | Sequence[str]]:
    level = Level.__members__.get(section.upper(), Level.NONE)
    names = {each.name for each in SCALE.get(level, ())}
    if not names or proofs.keys() - names:
        raise ValueError(f"{path}: [{section}] holds {', '.join(sorted(names))}")
    return proofs


def grade(quality: Quality, capabilities: Capabilities, *, is_shown: IsShown) -> Grade:
    """Find the highest level that is shown without a gap below it.

    Shape:  `is_shown` tells whether a proof is there and fits its criterion; all proofs
            of a criterion have to.
    """
    reached = Level.NONE
    for level, criteria in SCALE.items():
        missing = [
            each.name
            for each in criteria
            if each.is_asked(capabilities) and not _has(quality, each, is_shown)
        ]
        if missing:
            return Grade(level=reached, missing=missing)
        reached = level
    return Grade(level=reached, missing=())


def _has(quality: Quality, criterion: Criterion, is_shown: IsShown) -> bool:
    proofs = quality.shown.get(criterion.name, ())
    return bool(proofs) and all(is_shown(each, criterion) for each in proofs)
