"""A command as it was asked for, understood; what the parser gives to the bus."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from commands.registry import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags that every command takes.

    `output` and `fields` are hints to the door; `confirm` is a proposal's token or
    id; `if_match` an ETag without quotes, "" if none was given.
    """

    output: str = "auto"
    fields: tuple[str, ...] = ()
    query: str = ""
    dry_run: bool = False
    yes: bool = False
    confirm: str = ""
    reason: str = ""
    if_match: str = ""
    wait: timedelta | None = None
    quiet: bool = False
    is_public: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """The alias by which a command was asked for, and what it says of the answer.

    Shape:  `values` are what its slots were given; `ack` and `result` texts with
            `{expression}`, "" for none.
    """

    name: str
    values: Mapping[str, str]
    ack: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One command with its arguments.

    Shape:  `args` holds every parameter, `given` the names of those that the caller
            gave. `canonical` is the one way to write it, without global flags.
            `client_key` is the "id" of a whole-message JSON, "" otherwise. `alias` is
            how a team's own words led here, None for the command's own. With
            `is_risky` it asks for more than its command does: it keeps a risky line.
    """

    command: Command
    args: Mapping[str, Any]
    options: Options
    canonical: str
    given: frozenset[str]
    client_key: str = ""
    alias: Spoken | None = None
    is_risky: bool = False

    @property
    def target(self) -> str:
        """The id of the object that it is about, "" if it has none."""
        return str(self.args.get(self.command.target) or "")
