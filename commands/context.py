"""What a handler is given beside its arguments."""

from dataclasses import dataclass, field
from datetime import timedelta

from commands.registry import Command, Registry
from core.database import Tx
from core.kernel.principal import Principal


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
class Context:
    """One invocation as its handler sees it.

    `given` names the parameters that were stated rather than defaulted.
    `conversation` names the thread or session, "" where the door has none. `timezone`
    is the person's zone.
    """

    tx: Tx
    command: Command
    registry: Registry
    options: Options = field(default_factory=Options)
    given: frozenset[str] = frozenset()
    channel: str = ""
    account: str = ""
    sender: str = ""
    conversation: str = ""
    timezone: str = "UTC"

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.tx.principal
