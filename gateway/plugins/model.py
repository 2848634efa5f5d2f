"""What a plugin brings, and what became of reading it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from commands.plugins import PluginKind
from commands.registry import Command, Route
from gateway.doors.door import Builder
from gateway.plugins.loops import OwnLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What an installed distribution brings.

    Shape:  `channels` holds what builds the door of each, by the channel's name.
    """

    commands: Sequence[Command] = ()
    channels: Mapping[str, Builder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a plugin is disabled.

    Shape:  `text` is all of it, for those who may see plugins; `brief` leaves out what
            the exception said, which may be anything.
    """

    text: str
    brief: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One plugin as it was read last.

    Shape:  below `home` lies its code. `module` is the name under which its code is
            loaded, "" if it is not. `before` names the commands that it had when it
            last worked, `routes_before` their paths. `loop` is where its asynchronous
            handlers run.
    """

    name: str
    kind: PluginKind
    place: str
    home: Path
    brings: Plugin = field(default_factory=Plugin)
    fault: Fault | None = None
    module: str = ""
    before: Sequence[str] = ()
    routes_before: Sequence[Route] = ()
    loop: OwnLoop | None = None
    loaded_at: datetime | None = None

    @property
    def key(self) -> str:
        """What tells it from all others, also from an installed one of its name."""
        return f"{self.kind.value}:{self.name}"

    @property
    def routes(self) -> Sequence[Route]:
        """The REST paths that it brings, or did when it last worked."""
        now = [each for one in self.brings.commands for each in one.routes]
        return now or self.routes_before


class PluginFault(Exception):
    """A plugin is not what it has to be; the message says it to its author."""
