"""Everything that commands are called and reached by, so that no two share it."""

from collections.abc import Iterable, Iterator, Sequence
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
    method: str
    parts: Sequence[str]
    holder: _Holder


@dataclass(slots=True)
class Claims:
    """Names, plurals, aliases, nouns and paths, each with the command that has it."""

    _phrases: dict[str, _Holder] = field(default_factory=dict)
    _nouns: dict[str, _Holder] = field(default_factory=dict)
    _paths: list[_Path] = field(default_factory=list)

    @classmethod
    def of(cls, own: Iterable[Command]) -> "Claims":
        """Begin with what Opswire itself has: its commands, and all other routes."""
        claims = cls()
        for path, methods in outline(Registry()).items():
            for method in methods:
                holder = _Holder(path, OURS)
                claims._paths.append(_Path(method.upper(), path.split("/"), holder))
        for each in own:
            claims.take(each, OURS)
        return claims

    def copy(self) -> "Claims":
        """Return another one that goes on by itself."""
        return Claims(dict(self._phrases), dict(self._nouns), [*self._paths])

    def take(self, command: Command, owner: str) -> None:
        """Give a command what it is called and reached by."""
        holder = _Holder(command.name, owner)
        self._phrases |= dict.fromkeys(phrases_of(command), holder)
        if command.verb:
            self._nouns.setdefault(command.noun, holder)
        for each in command.routes:
            self._paths.append(_Path(each.method, each.path.split("/"), holder))

    def clash(self, command: Command) -> str:
        """Say with what a command clashes, naming both; "" for nothing."""
        return next(self._clashes(command), "")

    def _clashes(self, command: Command) -> Iterator[str]:
        for phrase in phrases_of(command):
            if holder := self._phrases.get(phrase):
                yield f"'{command.name}' and {holder} are both called '{phrase}'"
        if not command.verb and (holder := self._nouns.get(command.name)):
            yield f"'{command.name}' is the noun of {holder}"
        if command.verb and (holder := self._phrases.get(command.noun)):
            yield f"'{command.name}' begins like {holder}, which is a whole command"
        for route in command.routes:
            if holder := self._holder_of(route):
                shown = f"{route.method} {route.path}"
                yield f"'{command.name}' and {holder} share {shown}"

    def _holder_of(self, route: Route) -> _Holder | None:
        """Find who has a path that some request would have as well."""
        parts = route.path.split("/")
        for each in self._paths:
            if each.method == route.method and _overlap(parts, each.parts):
                return each.holder
        return None


def _overlap(left: Sequence[str], right: Sequence[str]) -> bool:
    return len(left) == len(right) and all(
        one == other or "{" in one + other
        for one, other in zip(left, right, strict=True)
    )
