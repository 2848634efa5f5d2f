"""Everything that is decided about a message before its command runs."""

from dataclasses import replace
from typing import Protocol

from commands import bus
from commands.alias_book import NO_ALIASES, Book
from commands.asked_again import parse_again
from commands.invocation import Invocation
from commands.parser import parse_call
from commands.registry import Command, Registry
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import ChannelOff, Problem, RateLimited
from gateway.limits import Limiter
from gateway.message import Message


class Senders(Protocol):
    """Finds out who an unverified sender is."""

    async def identify(self, envelope: Envelope) -> Principal:
        """Return the linked person, or an unlinked principal with no rights."""


class Channels(Protocol):
    """Knows which channels are switched off."""

    def require_on(self, tenant: TenantId, channel: str, command: Command) -> None:
        """Raise ChannelOff when the channel is disabled and the command cannot mend it."""


class Aliases(Protocol):
    """Knows each team's own words."""

    def of(self, tenant: TenantId) -> Book:
        """Return a tenant's aliases."""


class Gate:
    """Identifies, counts, parses and authorises."""

    def __init__(
        self,
        registry: Registry,
        *,
        senders: Senders,
        channels: Channels,
        aliases: Aliases,
        limiter: Limiter,
        clock: Clock,
    ) -> None:
        self.limiter = limiter
        self._registry = registry
        self._senders = senders
        self._channels = channels
        self._aliases = aliases
        self._clock = clock

    async def identify(self, message: Message) -> None:
        """Find out who sent a message, unless its door has verified that."""
        if message.envelope.credential is None:
            message.principal = await self._senders.identify(message.envelope)

    def admit(self, message: Message) -> Invocation:
        """Count, parse and authorise, in this order and never another."""
        envelope, principal = message.envelope, message.principal
        invocation = message.invocation = self._count(message)
        self._channels.require_on(
            principal.tenant, envelope.channel, invocation.command
        )
        bus.authorise(invocation.command, principal)
        if not (invocation.command.is_control or invocation.command.is_work):
            self.limiter.admit_family(
                envelope.channel, invocation.command.family, principal
            )
        return invocation

    def understand(self, message: Message) -> Message:
        """Parse and authorise; a refusal is kept, to be stored as the answer.

        Raises: ChannelOff; what was acknowledged waits until the channel is on again.
        """
        try:
            if message.problem is None:
                invocation = message.invocation = self._parse(message)
                envelope, principal = message.envelope, message.principal
                self._channels.require_on(
                    principal.tenant, envelope.channel, invocation.command
                )
                bus.authorise(invocation.command, principal)
        except ChannelOff:
            raise
        except Problem as problem:
            message.problem = problem
        return message

    def _count(self, message: Message) -> Invocation:
        """Count a message, and parse it; above a limit, only what steers work passes.

        Raises: RateLimited.
        """
        channel, principal = message.envelope.channel, message.principal
        if self._is_work(message.envelope.command):
            self.limiter.admit_work(channel, principal)
            return self._parse(message)
        try:
            self.limiter.admit(channel, principal)
        except RateLimited as limit:
            invocation = self._parse_control(message, limit)
            self.limiter.admit_control(channel, principal)
            return invocation
        return self._parse(message)

    def _is_work(self, name: str) -> bool:
        """Tell whether a call is a worker's; a line has to be read before that is known."""
        command = self._registry.find(name) if name else None
        return command is not None and command.is_work

    def _parse_control(self, message: Message, limit: RateLimited) -> Invocation:
        """Read what is above a limit; nonsense there is refused for being too much."""
        try:
            invocation = self._parse(message)
        except Problem:
            raise limit from None
        if not invocation.command.is_control:
            raise limit
        return invocation

    def _parse(self, message: Message) -> Invocation:
        envelope, principal = message.envelope, message.principal
        now = self._clock.now()
        zone = envelope.timezone or principal.timezone
        if envelope.command:
            invocation = parse_call(
                envelope.command,
                envelope.args,
                self._registry,
                now=now,
                timezone=zone,
                me=principal.name,
            )
        else:
            invocation = parse_again(
                envelope.text,
                self._registry,
                now=now,
                timezone=zone,
                me=principal.name,
                this=envelope.this,
                # A stranger is not told what a team's own words are.
                aliases=self._aliases.of(principal.tenant)
                if principal.linked
                else NO_ALIASES,
            )
        if not envelope.if_match:
            return invocation
        return replace(
            invocation, options=replace(invocation.options, if_match=envelope.if_match)
        )
