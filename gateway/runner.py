"""What happens inside a unit: run the command, store its answer, write it down."""

from dataclasses import replace

from commands import bus
from commands import help as ladder
from commands.alias_replies import dressed
from commands.registry import Registry, Trace
from core.audit.model import Verdict
from core.database import Tx
from core.delivery.model import InboxDraft
from core.kernel.jsons import to_json
from core.kernel.problems import EmptyLine, Problem, Unavailable
from core.kernel.reply import Reply
from gateway import problems
from gateway.answers import Answer, answer_to
from gateway.message import (
    Message,
    audit_of,
    memory_of,
    trace_of,
    verdict_of,
    verdict_of_problem,
)


class Runner:
    """The part of the road that is synchronous, whichever way a message came to it."""

    def __init__(self, registry: Registry, *, public_url: str) -> None:
        self._registry = registry
        self._public_url = public_url

    def run(self, tx: Tx, message: Message) -> Reply:
        """Run what is meant; from then on that is what the message asked for."""
        assert message.invocation is not None
        origin = message.origin
        message.invocation = bus.resolve(tx, message.invocation, self._registry, origin)
        if message.invocation.command.is_async:
            reply = bus.settle(tx, message.invocation, message.outcome)
        else:
            reply = bus.run(tx, message.invocation, self._registry, origin)
        return dressed(message.invocation, reply, actor=message.principal.name)

    def attempt(self, tx: Tx, message: Message) -> tuple[Reply, Verdict]:
        """Run one command; what it refuses becomes a reply, its effect is undone."""
        try:
            if message.problem is not None:
                raise message.problem
            reply = self.run(tx, message)
        except Unavailable:
            raise
        except Problem as problem:
            return problems.to_reply(problems.to_error(problem)), verdict_of_problem(
                problem
            )
        return reply, verdict_of(reply)

    def store(
        self, tx: Tx, message: Message, reply: Reply, request_hash: str
    ) -> Answer:
        """Store the answer with the effect; later ones with its key are given it."""
        answer = self.answer(message, reply)
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

    def note(self, tx: Tx, message: Message, reply: Reply, verdict: Verdict) -> None:
        """Record the decision, and what the conversation should remember."""
        if trace_of(message, reply, verdict) is Trace.ENTRY:
            tx.record(audit_of(message, reply, verdict))
        invocation = message.invocation
        if message.envelope.conversation and invocation and reply.error is None:
            tx.record(memory_of(message, invocation, reply))

    def refusal(self, message: Message, problem: Problem) -> Answer:
        """Turn a refusal into an answer; nothing asked is answered with help."""
        reply = problems.to_reply(problems.to_error(problem))
        if isinstance(problem, EmptyLine):
            page = ladder.overview(self._registry, message.principal)
            reply = replace(reply, blocks=(*reply.blocks, *page.blocks))
        return self.answer(message, reply)

    def answer(self, message: Message, reply: Reply) -> Answer:
        """Turn what a command replied into what its sender is told."""
        return answer_to(message, reply, public_url=self._public_url)
