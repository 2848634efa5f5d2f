"""Envelope in, Reply out: the only road from a door to a command."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from commands.invocation import Invocation
from commands.references import refers_back
from commands.registry import Alters, Trace
from core.audit.model import Verdict
from core.database import Database, Tx
from core.delivery.model import InboxDraft, StoredMessage
from core.kernel.envelope import Envelope
from core.kernel.principal import system
from core.kernel.problems import (
    Forbidden,
    KeyReused,
    LinkExpired,
    NotFound,
    Problem,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core.kernel.reply import Reply
from gateway import problems
from gateway.ahead import run_ahead
from gateway.answers import Answer, replay_of
from gateway.floods import Floods
from gateway.gate import Gate
from gateway.message import (
    Message,
    audit_of,
    message_of,
    trace_of,
    verdict_of_problem,
)
from gateway.metrics import Metrics
from gateway.runner import Runner

_log = logging.getLogger(__name__)

Reread = Callable[[], Awaitable[None]]
Ask = Callable[[Envelope], Awaitable[Answer]]
IsGone = Callable[[], Awaitable[bool]]


class Patience(Protocol):
    """Holds back the answers of senders who wait."""

    async def end_of(self, message: Message, reply: Reply) -> Reply | None:
        """Wait until what a command began is over; None when nobody wants to wait."""

    async def work_for(
        self, message: Message, answer: Answer, ask: Ask, is_gone: IsGone
    ) -> Answer:
        """Ask again for a worker that was given nothing and waits for work."""


async def _stays() -> bool:
    """Stand for a door that cannot tell whether its client has gone."""
    return False


class Pipeline:
    """Leads a message through the gate, into its unit, and its answer back.

    Shape:  `handle` never raises for anything the sender did: refusals are replies
            with an `error`. A write is stored together with its reply before it
            returns; the same key again gives the same reply, unless its `trace` is
            NOTHING. What a command `alters` is read again, by `reread`, before its
            answer is given.
    """

    def __init__(
        self,
        db: Database,
        gate: Gate,
        runner: Runner,
        *,
        floods: Floods,
        metrics: Metrics,
        reread: Mapping[Alters, Reread] | None = None,
    ) -> None:
        self.gate = gate
        self.runner = runner
        self.floods = floods
        self.metrics = metrics
        self._db = db
        self.reread = dict(reread or {})
        self.patience: Patience | None = None

    async def handle(self, envelope: Envelope, *, is_gone: IsGone = _stays) -> Answer:
        """Answer one message, once what it began is over if its sender waits for that.

        Shape:  `is_gone` tells whether whoever waits for work has gone away meanwhile.
        """
        message = message_of(envelope)
        answer = await self._observed(message)
        if self.patience is None or message.invocation is None:
            return answer
        try:
            answer = await self.patience.work_for(message, answer, self._ask, is_gone)
            end = await self.patience.end_of(message, answer.reply)
        except Problem:
            return answer  # What was done is done, and is what there is to tell.
        if end is None:
            return answer
        told = self.runner.answer(message, end)
        return replace(told, draft=answer.draft)

    async def _ask(self, envelope: Envelope) -> Answer:
        return await self._observed(message_of(envelope))

    async def _observed(self, message: Message) -> Answer:
        begun = time.perf_counter()
        answer = await self._handle(message)
        self.metrics.observe(
            message.envelope.channel, answer.reply, seconds=time.perf_counter() - begun
        )
        return answer

    async def refuse(self, envelope: Envelope, problem: Problem) -> Answer:
        """Answer a message that its door had to refuse, and audit it."""
        message = message_of(envelope)
        return await self._refuse(message, problem)

    async def apply(self, *messages: Message) -> None:
        """Have what the commands altered in force before anybody is told of it."""
        for message in messages:
            if message.alters in self.reread:
                await self.reread[message.alters]()

    async def _handle(self, message: Message) -> Answer:
        try:
            await self.gate.identify(message)
            invocation = self.gate.admit(message)
            if require_free := invocation.command.require_free:
                require_free()
            await run_ahead(message)
            if refers_back(invocation):
                # What the answers before were about is noted behind them: wait for it.
                await self._db.write(lambda _: None, by=message.principal)
            if invocation.command.is_read:
                return await self._read(message, invocation)
            return await self._write(message, invocation)
        except Problem as problem:
            return await self._refuse(message, problem)
        except Exception:
            where = {
                "channel": message.envelope.channel,
                "tenant": message.principal.tenant,
            }
            _log.exception(
                "pipeline.failed", extra={"request_id": message.request_id, **where}
            )
            error = problems.unexpected(message.request_id)
            return self.runner.answer(message, problems.to_reply(error))

    async def _read(self, message: Message, invocation: Invocation) -> Answer:
        """Look, and let the audit row join the next batch."""
        # What a plugin reads with keeps nobody else's reads waiting, however long.
        read = self._db.read_aside if invocation.command.plugin else self._db.read
        reply = await read(
            lambda tx: self.runner.run(tx, message), by=message.principal
        )
        answer = self.runner.answer(message, reply)
        self._db.post(
            lambda tx: self.runner.note(tx, message, answer.reply, Verdict.ALLOWED),
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
        await self.apply(message)
        return answer

    def _unit(self, tx: Tx, message: Message, invocation: Invocation) -> Answer:
        request_hash = message.envelope.payload_hash or invocation.canonical
        if isinstance(tx.prior, StoredMessage | InboxDraft):
            return replay_of(tx.prior, request_hash)
        tx.channel, tx.cause = message.envelope.channel, message.request_id
        reply, verdict = self.runner.attempt(tx, message)
        if trace_of(message, reply, verdict) is Trace.NOTHING:
            answer = self.runner.answer(message, reply)
        else:
            answer = self.runner.store(tx, message, reply, request_hash)
        self.runner.note(tx, message, answer.reply, verdict)
        return answer

    async def _refuse(self, message: Message, problem: Problem) -> Answer:
        """Answer with an error; a denial is on disk before it is told."""
        answer = self.runner.refusal(message, problem)
        if isinstance(problem, Unavailable):
            return answer
        try:
            await self._note_refusal(message, answer, problem)
        except Unavailable as outage:
            return self.runner.refusal(message, outage)
        return answer

    async def _note_refusal(
        self, message: Message, answer: Answer, problem: Problem
    ) -> None:
        entry = audit_of(message, answer.reply, verdict_of_problem(problem))
        by = system(message.principal.tenant)
        is_searching = not message.principal.id and isinstance(
            problem, NotFound | LinkExpired
        )
        if is_searching or isinstance(problem, Unauthenticated | RateLimited):
            self.floods.count(entry, by=by)
        elif isinstance(problem, Forbidden | KeyReused):
            await self._db.write(lambda tx: tx.record(entry), by=by)
        else:
            self._db.post(lambda tx: tx.record(entry), by=by)
