"""Envelope in, Reply out: the only road from a door to a command."""

import logging
from dataclasses import dataclass, replace
from typing import Protocol

from commands import bus
from commands.bus import Origin
from commands.parser import Invocation, parse, parse_call
from commands.registry import Command, Registry
from core.audit.model import AuditDraft, Verdict
from core.database import Database, Tx
from core.delivery import conversations
from core.delivery.model import InboxDraft, InboxKey, Memory, StoredMessage
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.ids import random_token
from core.kernel.jsons import parse_json, to_json
from core.kernel.principal import DEFAULT_TENANT, Principal, TenantId, system
from core.kernel.problems import (
    BadRequest, Forbidden, KeyReused, Problem, RateLimited, Unauthenticated, Unavailable,
)
from core.kernel.reply import Reply, ReplyStatus, reply_from_json
from gateway import problems
from gateway.floods import Floods
from gateway.limits import Limiter

_log = logging.getLogger(__name__)

_INTERACTIVE = frozenset({"websocket"})


class Senders(Protocol):
    """Finds out who an unverified sender is."""

    async def identify(self, envelope: Envelope) -> Principal:
        """Return the linked person, or an unlinked principal with no rights."""


class Channels(Protocol):
    """Knows which channels are switched off."""

    def require_on(self, tenant: TenantId, channel: str, command: Command) -> None:
        """Raise ChannelOff when the channel is disabled and the command cannot mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply, its JSON form, and its place in the conversation.

    `body` is what was stored and what the same key will be answered again; `seq` is
    the inbox number of a stored reply, 0 for one that was not stored.
    """

    reply: Reply
    body: bytes
    draft: InboxDraft | None = None

    @property
    def seq(self) -> int:
        """The inbox number, known once the batch has committed."""
        return self.draft.seq if self.draft else 0


@dataclass(slots=True, kw_only=True)
class Message:
    """One message on its way, and what is known of it so far."""

    envelope: Envelope
    token: str
    principal: Principal
    invocation: Invocation | None = None

    @property
    def request_id(self) -> str:
        """The id under which the answer can be read again."""
        return self.envelope.request_id or f"rq_{self.token}"

    @property
    def origin(self) -> Origin:
        """Where it came from, for the bus."""
        envelope = self.envelope
        return Origin(
            channel=envelope.channel, account=envelope.account, sender=envelope.sender,
            conversation=envelope.conversation,
            timezone=envelope.timezone or self.principal.timezone,
            is_consent=envelope.is_consent,
            is_interactive=envelope.channel in _INTERACTIVE,
        )

    @property
    def key(self) -> InboxKey:
        """What makes this message the same when it is sent again."""
        envelope = self.envelope
        return InboxKey(
            self.principal.tenant, envelope.channel, envelope.account,
            envelope.sender or self.principal.id,
            envelope.external_id or self.client_key or self.request_id,
        )

    @property
    def client_key(self) -> str:
        """The id inside a whole-message JSON, which is an idempotency key too."""
        return self.invocation.client_key if self.invocation else ""


class Pipeline:
    """Identifies, limits, parses, authorises, runs, records and answers.

    Shape:  `handle` never raises for anything the sender did: refusals are replies
            with an `error`. A write is stored together with its reply before it
            returns; the same key again gives the same reply.
    """

    def __init__(
        self, db: Database, registry: Registry, *, limiter: Limiter, senders: Senders,
        channels: Channels, clock: Clock, public_url: str,
    ) -> None:
        self.registry = registry
        self.limiter = limiter
        self.floods = Floods(db, clock)
        self._db = db
        self._senders = senders
        self._channels = channels
        self._clock = clock
        self._public_url = public_url

    async def handle(self, envelope: Envelope) -> Answer:
        """Answer one message."""
        message = Message(
            envelope=envelope, token=random_token(),
            principal=envelope.credential or _NOBODY,
        )
        try:
            if envelope.credential is None:
                message.principal = await self._senders.identify(envelope)
            invocation = self._admit(message)
            if invocation.command.is_read:
                return await self._read(message, invocation)
            return await self._write(message, invocation)
        except Problem as problem:
            return await self._refuse(message, problem)
        except Exception:
            _log.exception("pipeline.failed", extra={"request_id": message.request_id})
            error = problems.unexpected(message.request_id)
            return self._answer(message, problems.to_reply(error))

    async def refuse(self, envelope: Envelope, problem: Problem) -> Answer:
        """Answer a message that its door had to refuse, and audit it."""
        message = Message(
            envelope=envelope, token=random_token(),
            principal=envelope.credential or _NOBODY,
        )
        return await self._refuse(message, problem)

    # ── before the command runs ───────────────────────────────────────────────
    def _admit(self, message: Message) -> Invocation:
        """Count, parse and authorise, in this order and never another."""
        envelope, principal = message.envelope, message.principal
        self.limiter.admit(envelope.channel, principal)
        invocation = message.invocation = self._parse(message)
        self._channels.require_on(principal.tenant, envelope.channel, invocation.command)
        bus.authorise(invocation.command, principal)
        self.limiter.admit_family(envelope.channel, invocation.command.family, principal)
        return invocation

    def _parse(self, message: Message) -> Invocation:
        envelope, principal = message.envelope, message.principal
        now = self._clock.now()
        zone = envelope.timezone or principal.timezone
        if envelope.command:
            invocation = parse_call(
                envelope.command, envelope.args, self.registry, now=now, timezone=zone,
                me=principal.name,
            )
        else:
            invocation = parse(
                envelope.text, self.registry, now=now, timezone=zone, me=principal.name
            )
        if not envelope.if_match:
            return invocation
        return replace(
            invocation, options=replace(invocation.options, if_match=envelope.if_match)
        )

    # ── running it ────────────────────────────────────────────────────────────
    async def _read(self, message: Message, invocation: Invocation) -> Answer:
        """Look, and let the audit row join the next batch."""
        origin = message.origin
        reply = await self._db.read(
            lambda tx: bus.run(tx, invocation, self.registry, origin), by=message.principal
        )
        answer = self._answer(message, reply)
        self._db.post(
            lambda tx: self._note(tx, message, answer.reply, Verdict.ALLOWED),
            by=message.principal,
        )
        return answer

    async def _write(self, message: Message, invocation: Invocation) -> Answer:
        """Run the command in the unit that also stores its answer."""
        return await self._db.write(
            lambda tx: self._unit(tx, message, invocation),
            by=message.principal, key=message.key,
        )

    def _unit(self, tx: Tx, message: Message, invocation: Invocation) -> Answer:
        request_hash = message.envelope.payload_hash or invocation.canonical
        if isinstance(tx.prior, StoredMessage | InboxDraft):
            return _replay(tx.prior, request_hash)
        tx.channel = message.envelope.channel
        try:
            reply = bus.run(tx, invocation, self.registry, message.origin)
            verdict = _verdict(reply)
        except Unavailable:
            raise
        except Problem as problem:
            reply = problems.to_reply(problems.to_error(problem))
            verdict = _verdict_of(problem)
        answer = self._store(tx, message, reply, request_hash)
        self._note(tx, message, answer.reply, verdict)
        return answer

    def _store(self, tx: Tx, message: Message, reply: Reply, request_hash: str) -> Answer:
        answer = self._answer(message, reply)
        draft = InboxDraft(
            key=message.key,
            conversation=message.envelope.conversation,
            reply_id=answer.reply.id,
            request_id=answer.reply.request_id,
            request_hash=request_hash,
            reply=answer.body.decode(),
        )
        tx.record(draft)
        tx.keep(draft)
        return replace(answer, draft=draft)

    # ── what is written beside it ─────────────────────────────────────────────
    def _note(self, tx: Tx, message: Message, reply: Reply, verdict: Verdict) -> None:
        """Record the decision, and what the conversation should remember."""
        tx.record(_audit(message, reply, verdict))
        invocation = message.invocation
        if message.envelope.conversation and invocation and reply.error is None:
            memory = _memory(conversations.recall(tx, message.origin.place), invocation, reply)
            conversations.remember(tx, message.origin.place, memory)

    async def _refuse(self, message: Message, problem: Problem) -> Answer:
        """Answer with an error; a denial is on disk before it is told."""
        answer = self._answer(message, problems.to_reply(problems.to_error(problem)))
        if isinstance(problem, Unavailable):
            return answer
        entry = _audit(message, answer.reply, _verdict_of(problem))
        by = system(message.principal.tenant)
        if isinstance(problem, Unauthenticated | RateLimited):
            self.floods.count(entry, by=by)
        elif isinstance(problem, Forbidden | KeyReused):
            await self._db.write(lambda tx: tx.record(entry), by=by)
        else:
            self._db.post(lambda tx: tx.record(entry), by=by)
        return answer

    def _answer(self, message: Message, reply: Reply) -> Answer:
        reply_id = f"rp_{message.token}"
        reply = replace(
            reply,
            id=reply_id,
            request_id=message.request_id,
            command=message.invocation.canonical if message.invocation else "",
            url=f"{self._public_url}/r/{reply_id}",
            actor=message.principal.name,
            channel=message.envelope.channel,
        )
        return Answer(reply=reply, body=to_json(reply))


_NOBODY = Principal(id="", name="nobody", tenant=DEFAULT_TENANT, linked=False)


def _replay(prior: StoredMessage | InboxDraft, request_hash: str) -> Answer:
    """Give the stored answer again, if it belongs to the same request."""
    if prior.request_hash != request_hash:
        raise KeyReused(
            "this idempotency key was used for another request",
            fix=["send the same body again, or use a new key"],
        )
    raw = parse_json(prior.reply)
    assert isinstance(raw, dict)
    reply = replace(reply_from_json(raw), replayed=True)
    return Answer(reply=reply, body=to_json(reply))


def _verdict(reply: Reply) -> Verdict:
    if reply.status is ReplyStatus.NEEDS_CONFIRMATION:
        return Verdict.PROPOSED
    return Verdict.ALLOWED


def _verdict_of(problem: Problem) -> Verdict:
    if isinstance(problem, Forbidden | Unauthenticated | RateLimited):
        return Verdict.DENIED
    return Verdict.INVALID if isinstance(problem, BadRequest) else Verdict.FAILED


def _audit(message: Message, reply: Reply, verdict: Verdict) -> AuditDraft:
    invocation = message.invocation
    name = invocation.command.name if invocation else message.envelope.command
    return AuditDraft(
        action=name or "message",
        actor=message.principal.name,
        channel=message.envelope.channel,
        account=message.envelope.account,
        target=_target(invocation, reply),
        verdict=verdict,
        reason=reply.error.detail if reply.error else _reason(invocation),
        command=invocation.canonical if invocation else "",
        request_id=message.request_id,
    )


def _reason(invocation: Invocation | None) -> str:
    return invocation.options.reason if invocation else ""


def _target(invocation: Invocation | None, reply: Reply) -> str:
    if invocation and invocation.command.target:
        return str(invocation.args.get(invocation.command.target) or "")
    created = reply.data.get("id")
    return created if isinstance(created, str) else ""


def _memory(old: Memory, invocation: Invocation, reply: Reply) -> Memory:
    """Work out what `last`, `#n` and `more` mean after this reply."""
    rows = reply.data.get("items")
    if not isinstance(rows, list):
        return replace(old, last_id=_target(invocation, reply) or old.last_id, reply_id=reply.id)
    cursor = reply.data.get("next")
    return Memory(
        last_id=old.last_id,
        listed_ids=tuple(
            str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row
        ),
        more_line=f"{invocation.canonical} --cursor {cursor}" if cursor else "",
        reply_id=reply.id,
    )
