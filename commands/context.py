"""What a handler is given beside its arguments, and where its command came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from commands.invocation import Invocation, Options
from commands.registry import Command, Registry
from core.database import Tx
from core.kernel.jsons import Json
from core.kernel.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a command came from, as far as handlers and consent care.

    Shape:  `conversation` names the thread or session, "" where the door has none;
            `timezone` is the person's zone. `is_consent` says that the door's way of
            asking is consent itself, as a resource call is for risky commands;
            `is_interactive` that a person sits at it who may answer with `--yes`;
            `is_weak` that nothing that cannot be taken back may be asked here;
            `is_kept` that answers stay there for others to find. `this`
            is what the thread, subject or page is about. `reply_to` is where answers
            go later, in the channel's own words. `approval` names the request whose
            approval lets this command run.
    """

    channel: str
    account: str = ""
    sender: str = ""
    conversation: str = ""
    timezone: str = "UTC"
    is_consent: bool = False
    is_interactive: bool = False
    is_weak: bool = False
    is_kept: bool = False
    this: str = ""
    reply_to: Mapping[str, Json] = field(default_factory=dict)
    approval: str = ""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The key under which this person's conversation is remembered."""
        return self.channel, self.account, self.conversation, self.sender


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncContext:
    """One invocation as the handler of an asynchronous command sees it: without a Tx."""

    principal: Principal
    invocation: Invocation
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One invocation as its handler sees it."""

    tx: Tx
    invocation: Invocation
    registry: Registry
    origin: Origin

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.tx.principal

    @property
    def command(self) -> Command:
        """What is asked."""
        return self.invocation.command

    @property
    def options(self) -> Options:
        """The flags that every command takes."""
        return self.invocation.options

    @property
    def given(self) -> frozenset[str]:
        """The parameters that were stated rather than defaulted."""
        return self.invocation.given

    @property
    def channel(self) -> str:
        """The door that it came in by."""
        return self.origin.channel
