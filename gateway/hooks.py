"""What a stored webhook delivery asks for: its endpoint's command, in its maker's name."""

import asyncio
from functools import partial

from commands.registry import Registry
from core.database import Database, Tx
from core.delivery.received import Received
from core.events import service as events
from core.hooks import deliveries, mapping
from core.hooks import service as hooks
from core.hooks.mapping import Skipped
from core.hooks.model import Endpoint
from core.kernel.principal import Principal, system
from core.kernel.problems import Problem, Unavailable
from gateway.answers import Answer
from gateway.callbacks import callbacks_of
from gateway.mapped import bare_envelope_of, envelope_of, refused_of
from gateway.stored import OnDone, Work

_SHOWN_CHARS = 500


class HookSource:
    """Opens the deliveries of all webhook endpoints."""

    is_chat = False

    def __init__(self, db: Database, registry: Registry) -> None:
        self._db = db
        self._registry = registry

    async def open(self, stored: Received) -> Work:
        """Ask who may run it now, then work out what it says.

        Raises: Unavailable when the database does not answer.
        """
        nobody = system(stored.key.tenant, name="webhook")
        try:
            endpoint, owner = await self._db.read(
                lambda tx: _endpoint(tx, stored.key.account), by=nobody
            )
        except Unavailable:
            raise
        except Problem as problem:
            return Work(
                principal=nobody, envelopes=[bare_envelope_of(stored)], problem=problem
            )
        if isinstance(owner, Problem):
            return Work(
                principal=nobody,
                envelopes=[bare_envelope_of(stored)],
                problem=owner,
                on_done=[partial(_note, stored, endpoint)],
            )
        # A payload and an expression may be large and slow together.
        return await asyncio.to_thread(_work, stored, endpoint, owner, self._registry)


def _endpoint(tx: Tx, reference: str) -> tuple[Endpoint, Principal | Problem]:
    """Read an endpoint, and in whose name it runs or why in nobody's."""
    endpoint = hooks.get_(tx, reference)
    try:
        return endpoint, hooks.owner_of(tx, endpoint)
    except Unavailable:
        raise
    except Problem as problem:
        return endpoint, problem


def _work(
    stored: Received, endpoint: Endpoint, owner: Principal, registry: Registry
) -> Work:
    note = partial(_note, stored, endpoint)
    then: list[OnDone] = [note, *callbacks_of(endpoint)]
    try:
        calls = mapping.extract_calls(endpoint.rules, deliveries.payload_of(stored))
    except Problem as problem:
        problem.fix = (*problem.fix, f"webhook replay {endpoint.id} --failed")
        named = endpoint.rules[0].command if len(endpoint.rules) == 1 else ""
        bare = bare_envelope_of(stored, command=named)
        return Work(principal=owner, envelopes=[bare], problem=problem, on_done=then)
    if isinstance(calls, Skipped):
        return Work(principal=owner, skipped=calls.reason, on_done=[note])
    return Work(
        principal=owner,
        envelopes=[envelope_of(stored, owner, each) for each in calls],
        refused=refused_of(calls, registry, webhook=endpoint.id),
        on_done=then,
        done=deliveries.done_before(stored),
    )


def _note(stored: Received, endpoint: Endpoint, tx: Tx, answer: Answer) -> None:
    """Tell everybody who follows the endpoint what it received."""
    reply = answer.reply
    told = {"error": reply.error, "data": reply.data, "command": reply.command}
    lines = "; ".join(deliveries.commands_of(told))
    events.append(
        tx,
        "webhook_received",
        target=endpoint.id,
        delivery=stored.request_id,
        outcome=deliveries.outcome_of(told).value,
        took_ms=deliveries.took_ms(stored, done_at=tx.now),
        command=lines[:_SHOWN_CHARS],
        summary=reply.summary,
    )
