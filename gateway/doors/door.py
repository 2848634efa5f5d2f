"""What a store-first channel brings along, and how it is joined to the road."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

from starlette.routing import BaseRoute

from channels.base import (
    ChannelSpec,
    Courier,
    Delivery,
    Health,
    Inbound,
    Prober,
    PullChannel,
    Wire,
)
from core.delivery.model import InboxKey
from core.delivery.received import Received
from core.kernel.envelope import Envelope
from core.kernel.jsons import canonical_json, parse_json
from core.kernel.principal import TenantId
from core.kernel.reply import Reply
from gateway.core import Core
from gateway.intake import Arrival, Intake
from gateway.outbox import Note
from gateway.pipeline import Pipeline
from gateway.senders import LinkedSenders
from gateway.stored import Work

TenantOf = Callable[[str, str], TenantId]
Ask = Callable[[Envelope], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One channel as the gateway runs it.

    Shape:  `healths` gives one entry for each account; `channel` is the loop that
            fetches or listens, None when messages only come over `routes`. `prober` is
            None while the channel is not set up. `close` lets go of connections. `wire`
            is None when nothing comes in by it. `note` writes attempts down, and
            `patience` is how long one may take, None for as long as any other.
    """

    spec: ChannelSpec
    wire: Wire | None
    courier: Courier
    healths: Callable[[], Sequence[Health]]
    channel: PullChannel | None = None
    routes: Sequence[BaseRoute] = field(default=())
    prober: Prober | None = None
    close: Callable[[], Awaitable[None]] | None = None
    note: Note | None = None
    patience: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """What a door is built from: the core, and the road's two ends.

    Shape:  `inbox` is where the channel leaves what it received; `ask` answers a look
            (a home page, a suggestion) at once and stores nothing.
    """

    core: Core
    inbox: "DoorInbox"
    ask: Ask


class DoorInbox:
    """The inbox of one channel; it learns its intake once that has been built."""

    def __init__(self, channel: str, tenant_of: TenantOf) -> None:
        self._channel = channel
        self._tenant_of = tenant_of
        self.intake: Intake | None = None

    async def take(self, delivery: Delivery) -> bool:
        """Store a message; it is on disk when this returns, False if it was before.

        Shape:  what comes again under a known key is the same message, whatever the
                channel changed around it.
        Raises: Unavailable when it cannot be stored; then it must not be acknowledged.
        """
        assert self.intake is not None
        payload = canonical_json(dict(delivery.payload))
        receipt = await self.intake.receive(
            Arrival(
                key=InboxKey(
                    self._tenant_of(self._channel, delivery.account),
                    self._channel,
                    delivery.account,
                    delivery.sender,
                    delivery.key,
                ),
                request_hash=sha256(delivery.key.encode()).hexdigest(),
                payload=payload.decode(),
            )
        )
        return receipt.is_new


Builder = Callable[[Hall], Door | None]


def open_doors(
    core: Core, builders: Mapping[str, Builder], *, tenant_of: TenantOf
) -> tuple[Sequence[Door], Sequence[DoorInbox]]:
    """Build the doors that are set up, each with an inbox that still needs its intake."""
    inboxes = {channel: DoorInbox(channel, tenant_of) for channel in builders}
    doors = (
        build(Hall(core=core, inbox=inboxes[channel], ask=asker(core.pipeline)))
        for channel, build in builders.items()
    )
    return [door for door in doors if door is not None], list(inboxes.values())


class ChannelSource:
    """Opens the stored messages of one channel: reads them, and finds out who asks."""

    is_chat = True

    def __init__(
        self, wire: Wire, senders: LinkedSenders, *, can_edit: bool = False
    ) -> None:
        self._wire = wire
        self._can_edit = can_edit
        self._senders = senders

    async def open(self, stored: Received) -> Work:
        """Read a message and look its sender up, as they are now.

        Raises: Unavailable when the database does not answer.
        """
        inbound = self._parse(stored)
        envelopes = [_completed(each, stored, inbound) for each in inbound.envelopes]
        if not envelopes:
            envelopes = [_completed(_bare(stored), stored, inbound)]
        principal = await self._senders.identify(envelopes[0])
        is_asking = not inbound.skipped or inbound.problem is not None
        return Work(
            principal=principal,
            envelopes=envelopes if is_asking else (),
            problem=inbound.problem,
            skipped=inbound.skipped,
            reply_to=inbound.reply_to,
            is_transcript=len(envelopes) > 1,
            can_edit=self._can_edit,
        )

    def _parse(self, stored: Received) -> Inbound:
        payload = parse_json(stored.payload)
        assert isinstance(payload, Mapping)
        return self._wire.parse(
            payload, account=stored.key.account, received_at=stored.received_at
        )


def asker(pipeline: Pipeline) -> Ask:
    """Answer looks of a channel's own pages, as the person who opened them."""

    async def ask(envelope: Envelope) -> Reply:
        return (await pipeline.handle(envelope)).reply

    return ask


def _bare(stored: Received) -> Envelope:
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        sender=stored.key.sender,
        received_at=stored.received_at,
    )


def _completed(envelope: Envelope, stored: Received, inbound: Inbound) -> Envelope:
    """Add what only the inbox knows; who sent it is what the inbox says."""
    return replace(
        envelope,
        channel=stored.key.channel,
        account=stored.key.account,
        sender=stored.key.sender,
        external_id=stored.key.key,
        request_id=stored.request_id,
        received_at=stored.received_at,
        reply_to=inbound.reply_to,
    )
