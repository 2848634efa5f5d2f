"""Everything that commands are called and reached by, so that no two share it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from commands.names import phrases_of
from commands.registry import Command, Registry, Route
from gateway.http.openapi import outline

OURS = "Opswire"


class _Holder(NamedTuple):
    command: str
    owner: str

    def __str__(self) -> str:
        return f"'{self.command}' of {self.owner}"


class _Path(NamedTuple):
    """The parts of a path behind its method; a name in braces may be anything."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, method: str, path: str) -> "_Path":
        return cls((method, *path.split("/")))

    @property
    def is_open(self) -> bool:
        return any("{" in each for each in self.parts)

    def overlaps(self, other: "_Path") -> bool:
        """Tell whether some request would have both."""
        return len(self.parts) == len(other.parts) and all(
            one == two or "{" in one + two
            for one, two in zip(self.parts, other.parts, strict=True)
        )


@dataclass(slots=True)
class Claims:
    """Names, plurals, aliases, nouns and paths, each with the command that has it."""

    _phrases: dict[str, _Holder] = field(default_factory=dict)
    _nouns: dict[str, _Holder] = field(default_factory=dict)
    _paths: dict[_Path, _Holder] = field(default_factory=dict)
    _open_paths: dict[_Path, _Holder] = field(default_factory=dict)

    @classmethod
    def of(cls, own: Iterable[Command]) -> "Claims":
        """Begin with what Opswire itself has: its commands, and all other routes."""
        claims = cls()
        for path, methods in outline(Registry()).items():
            for method in methods:
                claims._take(_Path.of(method.upper(), path), _Holder(path, OURS))
        for each in own:
            claims.take(each, OURS)
        return claims

    def copy(self) -> "Claims":
        """Return another one that goes on by itself."""
        return Claims(
            dict(self._phrases),
            dict(self._nouns),
            dict(self._paths),
            dict(self._open_paths),
        )

    def take(self, command: Command, owner: str) -> None:
        """Give a command what it is called and reached by."""
        holder = _Holder(command.name, owner)
        self._phrases |= dict.fromkeys(phrases_of(command), holder)
        if command.verb:
            self._nouns.setdefault(command.noun, holder)
        for each in command.routes:
            self._take(_Path.of(each.method, each.path), holder)

    def clash(self, command: Command, owner: str) -> str:
        """Say with what a command clashes, naming both; "" for nothing."""
        return next(self._clashes(command, _Holder(command.name, owner)), "")

    def _clashes(self, command: Command, new: _Holder) -> Iterator[str]:
        for phrase in phrases_of(command):
            if holder := self._phrases.get(phrase):
                yield f"{new} and {holder} are both called '{phrase}'"
        if not command.verb and (holder := self._nouns.get(command.name)):
            yield f"{new} is the noun of {holder}"
        if command.verb and (holder := self._phrases.get(command.noun)):
            yield f"{new} begins like {holder}, which is a whole command"
        for route in command.routes:
            if holder := self._holder_of(route):
                yield f"{new} and {holder} share {route.method} {route.path}"

    def _holder_of(self, route: Route) -> _Holder | None:
        """Find who has a path that some request would have as well."""
        path = _Path.of(route.method, route.path)
        if not path.is_open and path in self._paths:
            return self._paths[path]
        rivals = self._paths if path.is_open else self._open_paths
        return next((rivals[each] for each in rivals if each.overlaps(path)), None)

    def _take(self, path: _Path, holder: _Holder) -> None:
        self._paths[path] = holder
        if path.is_open:
            self._open_paths[path] = holder
