"""What a stored fire asks for: its trigger's command, in its owner's name as of now."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from commands.registry import Registry
from core.database import Database, Tx
from core.delivery.received import Received
from core.events import service as events
from core.hooks import deliveries, mapping
from core.hooks.mapping import Call, Skipped
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import Trigger
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.jsons import Json, parse_json
from core.kernel.principal import Assurance, Principal, system
from core.kernel.problems import Forbidden, Problem, Unavailable
from gateway.answers import Answer
from gateway.mapped import bare_envelope_of, envelope_of, refused_of
from gateway.stored import OnDone, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A fire with everything that it takes to work out its commands."""

    stored: Received
    trigger: Trigger
    owner: Principal
    subject: Json


class TriggerSource:
    """Opens what triggers put into the inbox.

    The owner is looked up anew, for they may have lost rights since; a trigger that was
    disabled or deleted meanwhile runs nothing any more.
    """

    is_chat = False

    def __init__(self, db: Database, registry: Registry) -> None:
        self._db = db
        self._registry = registry

    async def open(self, stored: Received) -> Work:
        """Ask who may run it now, then work out the arguments.

        Raises: Unavailable when the database does not answer.
        """
        nobody = system(stored.key.tenant, name="trigger")
        try:
            opened = await self._db.read(lambda tx: _open(tx, stored), by=nobody)
        except Unavailable:
            raise
        except Problem as problem:
            return Work(
                principal=nobody,
                envelopes=[bare_envelope_of(stored)],
                problem=problem,
                on_done=[_noted(stored)],
            )
        if isinstance(opened, Work):
            return opened
        # A payload and an expression may be large and slow together.
        return await asyncio.to_thread(_work, opened, self._registry)


def _open(tx: Tx, stored: Received) -> _Opened | Work:
    """Read what a fire is about.

    Raises: NotFound when the trigger or what set it off is gone.
    """
    trigger = triggers.get_(tx, stored.key.account)
    if not trigger.is_enabled:
        reason = f"{trigger.id} was disabled before this could run"
        return Work(principal=tx.principal, skipped=reason, on_done=[_noted(stored)])
    try:
        owner = triggers.owner_of(tx, trigger)
    except Forbidden as problem:
        return _denied(tx, stored, trigger, problem)
    payload = parse_json(stored.payload)
    assert isinstance(payload, dict)
    event = fires.get_event(tx, int(str(payload["seq"])))
    subject = fires.subject_of(tx, trigger, event)
    return _Opened(stored=stored, trigger=trigger, owner=owner, subject=subject)


def _denied(tx: Tx, stored: Received, trigger: Trigger, problem: Problem) -> Work:
    """Refuse a fire in the name of its owner, who may do nothing here any more."""
    owner = users.get_(tx, trigger.owner_id)
    return Work(
        principal=to_principal(owner, Assurance.UNVERIFIED, scopes=frozenset()),
        envelopes=[bare_envelope_of(stored, command=trigger.rule.command)],
        problem=problem,
        on_done=[_noted(stored)],
    )


def _work(opened: _Opened, registry: Registry) -> Work:
    stored, rule, owner = opened.stored, opened.trigger.rule, opened.owner
    note = _noted(stored)
    try:
        calls = mapping.extract_calls([rule], opened.subject)
    except Problem as problem:
        bare = bare_envelope_of(stored, command=rule.command)
        return Work(principal=owner, envelopes=[bare], problem=problem, on_done=[note])
    if isinstance(calls, Skipped):
        return Work(principal=owner, skipped=calls.reason, on_done=[note])
    return Work(
        principal=owner,
        envelopes=[envelope_of(stored, owner, each) for each in calls],
        refused=_refused_of(opened, calls, registry),
        on_done=[note],
    )


def _refused_of(
    opened: _Opened, calls: Sequence[Call], registry: Registry
) -> Mapping[int, Problem]:
    """Tell which calls lack something, and where to look at this trigger for why."""
    trigger = opened.trigger
    refused = refused_of(calls, registry, webhook=trigger.when.webhook)
    for problem in refused.values():
        problem.fix = (
            f"trigger test {trigger.id} --last",
            f"trigger show {trigger.id}",
        )
    return refused


def _noted(stored: Received) -> OnDone:
    return partial(_note, stored)


def _note(stored: Received, tx: Tx, answer: Answer) -> None:
    """Tell everybody who follows the trigger what it did; no trigger reacts to that."""
    reply = answer.reply
    outcome = deliveries.outcome_of({"error": reply.error, "data": reply.data})
    events.append(
        tx,
        "trigger_fired",
        target=stored.key.account,
        request_id=stored.request_id,
        outcome=outcome.value,
        summary=reply.summary,
    )
