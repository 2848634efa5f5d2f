"""The road of messages that were acknowledged first: run once, and end their row."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from commands.alias_replies import acknowledged
from core.audit.model import Verdict
from core.database import Database, Tx
from core.delivery import received
from core.delivery.model import InboxState, StoredMessage
from core.delivery.received import Received
from core.hooks.deliveries import outcome_of
from core.kernel.principal import system
from core.kernel.problems import ChannelOff, InFlight, NotLinked, Problem
from core.kernel.reply import GOES_ON, Reply
from gateway import problems
from gateway.ahead import run_ahead
from gateway.answering import Ending, post_ack, post_answer
from gateway.answers import Answer, replay_of
from gateway.message import Message, audit_of, token_of, whole_of
from gateway.notices import Notices
from gateway.pipeline import Pipeline
from gateway.stored import Source, Work, conclude

_log = logging.getLogger(__name__)


class StoredRuns:
    """Runs stored messages through the same gate and runner as every other one.

    `on_posted` is called once an answer waits to be delivered. `notices` remembers who
    was told that they are not linked, or above a limit.
    """

    def __init__(
        self,
        db: Database,
        pipeline: Pipeline,
        *,
        notices: Notices,
        on_posted: Callable[[], None],
    ) -> None:
        self._db = db
        self._pipeline = pipeline
        self._notices = notices
        self._on_posted = on_posted
        self._runner = pipeline.runner

    async def run(self, stored: Received, source: Source) -> Answer:
        """Run what a stored message asks for, and finish its row in the same unit.

        Shape:  run once, whoever tries and however often: later tries are given the
                stored answer. Nothing is limited here, because it was acknowledged.
        Raises: Unavailable, ChannelOff; the row then waits for the next try.
        """
        begun = time.perf_counter()
        work = Work(principal=system(stored.key.tenant))
        try:
            work = await source.open(stored)
            answer = await self._run(stored, work, is_chat=source.is_chat)
        except Problem:
            raise
        except Exception:
            _log.exception("pipeline.failed", extra={"request_id": stored.request_id})
            answer = await self._db.write(
                lambda tx: self._give_up(tx, stored, work),
                by=system(stored.key.tenant),
                key=stored.key,
            )
        if work.reply_to:
            self._on_posted()
        self._pipeline.metrics.observe(
            stored.key.channel, answer.reply, seconds=time.perf_counter() - begun
        )
        return answer

    async def refuse(self, stored: Received, source: Source, problem: Problem) -> None:
        """End a stored message without running it; its sender is told once a minute.

        Raises: Unavailable; the row then waits for the next try.
        """
        work = replace(await source.open(stored), problem=problem)
        await self._tell_now_and_then(
            stored, work, problem, self._messages(stored, work)
        )
        self._on_posted()

    async def is_control(self, stored: Received, source: Source) -> bool:
        """Tell whether a message only steers work, which is never above a limit.

        Raises: Unavailable.
        """
        try:
            messages = self._messages(stored, await source.open(stored))
        except ChannelOff:
            return False
        return bool(messages) and all(map(_is_control, messages))

    async def _run(self, stored: Received, work: Work, *, is_chat: bool) -> Answer:
        messages = self._messages(stored, work)
        problem = messages[0].problem if messages else None
        if is_chat and isinstance(problem, NotLinked):
            return await self._tell_now_and_then(stored, work, problem, messages)
        return await self._settle(stored, work, messages)

    async def _tell_now_and_then(
        self,
        stored: Received,
        work: Work,
        problem: Problem,
        messages: Sequence[Message],
    ) -> Answer:
        """Refuse what comes in floods; it is written down each time, and told once."""
        if not self._notices.is_due(stored.key, problem.code):
            return await self._settle(stored, replace(work, reply_to={}), messages)
        answer = await self._settle(stored, work, messages)
        self._notices.note(stored.key, problem.code)
        return answer

    def _messages(self, stored: Received, work: Work) -> Sequence[Message]:
        gate = self._pipeline.gate
        messages = [
            gate.understand(
                Message(
                    envelope=each,
                    token=token_of(stored),
                    principal=work.principal,
                    problem=work.problem or work.refused.get(place),
                )
            )
            for place, each in enumerate(work.envelopes)
        ]
        _mark_done(messages, work.done)
        return messages

    async def _settle(
        self, stored: Received, work: Work, messages: Sequence[Message]
    ) -> Answer:
        """Run what was understood, and finish the row."""
        for message in messages:
            if not message.is_done:
                await self._acknowledge(work, message)
                await run_ahead(message)
        answer = await self._db.write(
            lambda tx: self._unit(tx, stored, work, messages),
            by=work.principal,
            key=stored.key,
        )
        await self._pipeline.apply(*messages)
        return answer

    async def _acknowledge(self, work: Work, message: Message) -> None:
        """Say that a slow command runs, if its alias has words for that.

        A mail is not sent for it: mail has nothing to take the words back with, and
        the answer is a minute away at most.
        """
        asked = message.invocation
        is_slow = asked is not None and asked.command.is_async
        if asked is None or not (is_slow and work.reply_to and work.can_edit):
            return
        said = acknowledged(asked, actor=message.principal.name)
        if message.problem is None and said and not asked.options.dry_run:
            answer = self._runner.answer(message, said)
            await self._db.write(
                lambda tx: post_ack(tx, work, message, answer), by=work.principal
            )
            self._on_posted()

    def _unit(
        self, tx: Tx, stored: Received, work: Work, messages: Sequence[Message]
    ) -> Answer:
        if isinstance(tx.prior, StoredMessage) and tx.prior.state is InboxState.DONE:
            return replay_of(tx.prior, stored.request_hash)
        tx.channel, tx.cause = stored.key.channel, stored.request_id
        told: list[Reply] = []
        kept: list[Reply] = []
        for message in messages:
            reply = self._attempt(tx, message)
            told.append(reply)
            kept.append(message.storable(reply))
            if work.is_transcript and reply.status not in GOES_ON:
                break
        of = messages[0] if len(messages) == 1 else whole_of(stored, work.principal)
        answer = self._runner.answer(of, conclude(work, told))
        stays = self._runner.answer(of, conclude(work, kept))
        self._finish(tx, stored, work, Ending(of, answer, stays))
        if work.reply_to and any(map(_may_hold_secret, messages)):
            received.forget(tx, stored.key)
        return stays

    def _attempt(self, tx: Tx, message: Message) -> Reply:
        """Run one command, unless an earlier run of the same delivery did."""
        if message.is_done:
            assert message.invocation is not None
            summary = f"Done before: {message.invocation.canonical}"[:150]
            return self._runner.answer(message, Reply(summary=summary)).reply
        reply, verdict = self._runner.attempt(tx, message)
        reply = self._runner.answer(message, reply).reply
        self._runner.note(tx, message, reply, verdict)
        return reply

    def _finish(self, tx: Tx, stored: Received, work: Work, ending: Ending) -> None:
        """Store a message's answer, and have it delivered to whoever waits for it.

        Only the unit that finishes a message may have its effect.
        """
        body, reply = ending.kept.body.decode(), ending.kept.reply
        outcome = outcome_of({"error": reply.error, "data": reply.data})
        if not received.finish(tx, stored.key, reply=body, outcome=outcome.value):
            raise InFlight("this message was run already", fix=["read its answer"])
        if work.reply_to:
            post_answer(tx, work, ending)
        for each in work.on_done:
            each(tx, ending.kept)
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

    def _give_up(self, tx: Tx, stored: Received, work: Work) -> Answer:
        """End a message that a fault of ours spoilt; trying again would not mend it."""
        message = whole_of(stored, work.principal)
        reply = problems.to_reply(problems.unexpected(stored.request_id))
        answer = self._runner.answer(message, reply)
        self._finish(tx, stored, work, Ending(message, answer, answer))
        tx.record(audit_of(message, answer.reply, Verdict.FAILED))
        return answer


def _mark_done(messages: Sequence[Message], lines: Sequence[str]) -> None:
    """Mark the commands that an earlier run did, each line as often as it did."""
    left = Counter(lines)
    for message in messages:
        line = message.invocation.canonical if message.invocation else ""
        if left[line] > 0:
            left[line] -= 1
            message.is_done = True


def _is_control(message: Message) -> bool:
    asked = message.invocation
    is_refused = message.problem is not None
    return asked is not None and asked.command.is_control and not is_refused


def _may_hold_secret(message: Message) -> bool:
    """Tell whether a line could have a secret in it; one not understood always could."""
    asked = message.invocation
    return asked is None or any(each.is_secret for each in asked.command.parameters)
