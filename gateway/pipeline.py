"""Envelope in, Reply out: the only road from a door to a command."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from commands import bus
from commands.asked_again import parse_again
from commands.invocation import Invocation
from commands.parser import parse_call
from commands.references import refers_back
from commands.registry import Alters, Command, Registry
from core.audit.model import Verdict
from core.database import Database, Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxState, StoredMessage
from core.delivery.received import Received
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import parse_json, to_json
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import (
    ChannelOff,
    Forbidden,
    InFlight,
    KeyReused,
    NotFound,
    Problem,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core.kernel.reply import Reply, reply_from_json
from core.kernel.sanitise import is_plain, sanitise_reply
from gateway import problems
from gateway.floods import Floods
from gateway.limits import Limiter
from gateway.message import (
    Message,
    audit_of,
    memory_of,
    message_of,
    token_of,
    verdict_of,
    verdict_of_problem,
    whole_of,
)
from gateway.metrics import Metrics
from gateway.stored import Source, Work, conclude

_log = logging.getLogger(__name__)

Reread = Callable[[], Awaitable[None]]


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


class Pipeline:
    """Identifies, limits, parses, authorises, runs, records and answers.

    Shape:  `handle` never raises for anything the sender did: refusals are replies
            with an `error`. A write is stored together with its reply before it
            returns; the same key again gives the same reply. What a command `alters`
            is read again, by `reread`, before its answer is given.
    """

    def __init__(
        self,
        db: Database,
        registry: Registry,
        *,
        limiter: Limiter,
        senders: Senders,
        channels: Channels,
        clock: Clock,
        public_url: str,
        metrics: Metrics,
        reread: Mapping[Alters, Reread] | None = None,
    ) -> None:
        self.registry = registry
        self.limiter = limiter
        self.floods = Floods(db, clock)
        self._db = db
        self._senders = senders
        self._channels = channels
        self._clock = clock
        self._public_url = public_url
        self._metrics = metrics
        self._reread = reread or {}

    async def handle(self, envelope: Envelope) -> Answer:
        """Answer one message."""
        begun = time.perf_counter()
        answer = await self._handle(envelope)
        self._metrics.observe(
            envelope.channel, answer.reply, seconds=time.perf_counter() - begun
        )
        return answer

    async def _handle(self, envelope: Envelope) -> Answer:
        message = message_of(envelope)
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
        message = message_of(envelope)
        return await self._refuse(message, problem)

    async def run_stored(self, stored: Received, source: Source) -> Answer:
        """Run what a stored message asks for, and finish its row in the same unit.

        Shape:  run once, whoever tries and however often: later tries are given the
                stored answer. Nothing is limited here, because it was acknowledged.
        Raises: Unavailable, ChannelOff; the row then waits for the next try.
        """
        begun = time.perf_counter()
        try:
            answer = await self._run_stored(stored, await source.open(stored))
        except Problem:
            raise
        except Exception:
            _log.exception("pipeline.failed", extra={"request_id": stored.request_id})
            answer = await self._db.write(
                lambda tx: self._give_up(tx, stored),
                by=system(stored.key.tenant),
                key=stored.key,
            )
        self._metrics.observe(
            stored.key.channel, answer.reply, seconds=time.perf_counter() - begun
        )
        return answer

    # ── before the command runs ───────────────────────────────────────────────
    def _admit(self, message: Message) -> Invocation:
        """Count, parse and authorise, in this order and never another."""
        envelope, principal = message.envelope, message.principal
        self.limiter.admit(envelope.channel, principal)
        invocation = message.invocation = self._parse(message)
        self._channels.require_on(
            principal.tenant, envelope.channel, invocation.command
        )
        bus.authorise(invocation.command, principal)
        self.limiter.admit_family(
            envelope.channel, invocation.command.family, principal
        )
        return invocation

    def _parse(self, message: Message) -> Invocation:
        envelope, principal = message.envelope, message.principal
        now = self._clock.now()
        zone = envelope.timezone or principal.timezone
        if envelope.command:
            invocation = parse_call(
                envelope.command,
                envelope.args,
                self.registry,
                now=now,
                timezone=zone,
                me=principal.name,
            )
        else:
            invocation = parse_again(
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
        if refers_back(invocation):
            # What the answers before were about is noted behind them: wait for it.
            await self._db.write(lambda _: None, by=message.principal)
        reply = await self._db.read(
            lambda tx: self._run(tx, message), by=message.principal
        )
        answer = self._answer(message, reply)
        self._db.post(
            lambda tx: self._note(tx, message, answer.reply, Verdict.ALLOWED),
            by=message.principal,
        )
        return answer

    async def _write(self, message: Message, invocation: Invocation) -> Answer:
        """Run the command in the unit that also stores its answer."""
        answer = await self._db.write(
            lambda tx: self._unit(tx, message, invocation),
            by=message.principal,
            key=message.key,
        )
        await self._apply(message)
        return answer

    async def _apply(self, *messages: Message) -> None:
        """Have what the commands altered in force before anybody is told of it."""
        for message in messages:
            if message.alters in self._reread:
                await self._reread[message.alters]()

    def _unit(self, tx: Tx, message: Message, invocation: Invocation) -> Answer:
        request_hash = message.envelope.payload_hash or invocation.canonical
        if isinstance(tx.prior, StoredMessage | InboxDraft):
            return _replay(tx.prior, request_hash)
        tx.channel = message.envelope.channel
        reply, verdict = self._try(tx, message)
        answer = self._store(tx, message, reply, request_hash)
        self._note(tx, message, answer.reply, verdict)
        return answer

    def _run(self, tx: Tx, message: Message) -> Reply:
        """Run what is meant; from then on that is what the message asked for."""
        assert message.invocation is not None
        origin = message.origin
        message.invocation = bus.resolve(tx, message.invocation, self.registry, origin)
        return bus.run(tx, message.invocation, self.registry, origin)

    def _try(self, tx: Tx, message: Message) -> tuple[Reply, Verdict]:
        """Run one command; what it refuses becomes a reply, its effect is undone."""
        try:
            if message.problem is not None:
                raise message.problem
            reply = self._run(tx, message)
        except Unavailable:
            raise
        except Problem as problem:
            return problems.to_reply(problems.to_error(problem)), verdict_of_problem(
                problem
            )
        return reply, verdict_of(reply)

    # ── what was stored before it is run ──────────────────────────────────────
    async def _run_stored(self, stored: Received, work: Work) -> Answer:
        messages = [
            self._understand(
                Message(
                    envelope=each,
                    token=token_of(stored),
                    principal=work.principal,
                    problem=work.problem,
                )
            )
            for each in work.envelopes
        ]
        answer = await self._db.write(
            lambda tx: self._stored_unit(tx, stored, work, messages),
            by=work.principal,
            key=stored.key,
        )
        await self._apply(*messages)
        return answer

    def _understand(self, message: Message) -> Message:
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

    def _stored_unit(
        self, tx: Tx, stored: Received, work: Work, messages: Sequence[Message]
    ) -> Answer:
        if isinstance(tx.prior, StoredMessage) and tx.prior.state is InboxState.DONE:
            return _replay(tx.prior, stored.request_hash)
        tx.channel = stored.key.channel
        replies = []
        for message in messages:
            reply, verdict = self._try(tx, message)
            self._note(tx, message, reply, verdict)
            replies.append(message.storable(reply))
        of = messages[0] if len(messages) == 1 else whole_of(stored, work.principal)
        return self._finish(tx, stored, of, conclude(work, replies))

    def _finish(
        self, tx: Tx, stored: Received, message: Message, reply: Reply
    ) -> Answer:
        """Store a message's answer; only the unit that does so may have its effect."""
        answer = self._answer(message, reply)
        body = answer.body.decode()
        if not received.finish(tx, stored.key, reply=body):
            raise InFlight("this message was run already", fix=["read its answer"])
        tx.keep(
            StoredMessage(
                key=stored.key,
                request_hash=stored.request_hash,
                state=InboxState.DONE,
                reply=body,
                seq=stored.seq,
                request_id=stored.request_id,
            )
        )
        return answer

    def _give_up(self, tx: Tx, stored: Received) -> Answer:
        """End a message that a fault of ours spoilt; trying again would not mend it."""
        message = whole_of(stored, tx.principal)
        reply = problems.to_reply(problems.unexpected(stored.request_id))
        answer = self._finish(tx, stored, message, reply)
        tx.record(audit_of(message, answer.reply, Verdict.FAILED))
        return answer

    def _store(
        self, tx: Tx, message: Message, reply: Reply, request_hash: str
    ) -> Answer:
        answer = self._answer(message, reply)
        kept = message.storable(answer.reply)
        draft = InboxDraft(
            key=message.key,
            conversation=message.envelope.conversation,
            reply_id=answer.reply.id,
            request_id=answer.reply.request_id,
            request_hash=request_hash,
            reply=(answer.body if kept is answer.reply else to_json(kept)).decode(),
        )
        tx.record(draft)
        tx.keep(draft)
        return Answer(reply=answer.reply, body=answer.body, draft=draft)

    # ── what is written beside it ─────────────────────────────────────────────
    def _note(self, tx: Tx, message: Message, reply: Reply, verdict: Verdict) -> None:
        """Record the decision, and what the conversation should remember."""
        tx.record(audit_of(message, reply, verdict))
        invocation = message.invocation
        if message.envelope.conversation and invocation and reply.error is None:
            tx.record(memory_of(message, invocation, reply))

    async def _refuse(self, message: Message, problem: Problem) -> Answer:
        """Answer with an error; a denial is on disk before it is told."""
        answer = self._answer(message, problems.to_reply(problems.to_error(problem)))
        if isinstance(problem, Unavailable):
            return answer
        try:
            await self._note_refusal(message, answer, problem)
        except Unavailable as outage:
            error = problems.to_error(outage)
            return self._answer(message, problems.to_reply(error))
        return answer

    async def _note_refusal(
        self, message: Message, answer: Answer, problem: Problem
    ) -> None:
        entry = audit_of(message, answer.reply, verdict_of_problem(problem))
        by = system(message.principal.tenant)
        is_searching = not message.principal.id and isinstance(problem, NotFound)
        if is_searching or isinstance(problem, Unauthenticated | RateLimited):
            self.floods.count(entry, by=by)
        elif isinstance(problem, Forbidden | KeyReused):
            await self._db.write(lambda tx: tx.record(entry), by=by)
        else:
            self._db.post(lambda tx: tx.record(entry), by=by)

    def _answer(self, message: Message, reply: Reply) -> Answer:
        reply_id = f"rp_{message.token}"
        whole = Reply(
            id=reply_id,
            request_id=message.request_id,
            status=reply.status,
            command=message.invocation.canonical if message.invocation else "",
            summary=reply.summary,
            url=f"{self._public_url}/r/{reply_id}",
            actor=message.principal.name,
            channel=message.envelope.channel,
            blocks=reply.blocks,
            data=reply.data,
            undo=reply.undo,
            error=reply.error,
        )
        return _shown(whole)


def _shown(reply: Reply) -> Answer:
    """Write a reply as it may be shown, whatever somebody put into a title."""
    body = to_json(reply)
    if is_plain(reply, body):
        return Answer(reply=reply, body=body)
    clean = sanitise_reply(reply)
    return Answer(reply=clean, body=body if clean is reply else to_json(clean))


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
