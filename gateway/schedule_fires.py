"""What a stored moment asks for: its schedule's command, in its owner's name as of now."""

from functools import partial

from core.database import Database, Tx
from core.delivery.received import Received
from core.hooks.deliveries import Outcome, outcome_of
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.ids import number_of
from core.kernel.jsons import Json
from core.kernel.principal import Assurance, Principal, system
from core.kernel.problems import Forbidden, Problem, Unavailable
from core.kernel.reply import Reply
from core.schedules import service as schedules
from core.schedules import store, ticks
from core.schedules.model import Schedule, ScheduleStatus, Tick, TickState
from gateway.answers import Answer
from gateway.mapped import bare_envelope_of
from gateway.stored import OnDone, Work

_STATES = {
    Outcome.WAITING: TickState.WAITING,
    Outcome.DONE: TickState.DONE,
    Outcome.SKIPPED: TickState.SKIPPED,
    Outcome.FAILED: TickState.FAILED,
}


class ScheduleSource:
    """Opens what schedules put into the inbox.

    The owner is looked up anew, for they may have lost rights since; a schedule that was
    paused or deleted meanwhile runs nothing any more, but for what a person asked for.
    """

    is_chat = False

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, stored: Received) -> Work:
        """Ask who may run it now, and what it runs.

        Raises: Unavailable when the database does not answer.
        """
        nobody = system(stored.key.tenant, name="scheduler")
        try:
            return await self._db.read(lambda tx: _open(tx, stored), by=nobody)
        except Unavailable:
            raise
        except Problem as problem:
            return Work(
                principal=nobody,
                envelopes=[bare_envelope_of(stored)],
                problem=problem,
                on_done=[_noted(stored)],
            )


def _open(tx: Tx, stored: Received) -> Work:
    """Read what a moment runs.

    Raises: NotFound when the owner is gone.
    """
    note = _noted(stored)
    schedule = store.find(tx, stored.key.account)
    tick = ticks.find(tx, stored.request_id)
    if reason := _why_not(stored, schedule, tick):
        return Work(principal=tx.principal, skipped=reason, on_done=[note])
    assert schedule is not None
    try:
        owner = schedules.owner_of(tx, schedule)
    except Forbidden as problem:
        return _denied(tx, stored, schedule, problem)
    envelope = _envelope(stored, schedule, owner)
    return Work(principal=owner, envelopes=[envelope], on_done=[note])


def _why_not(stored: Received, schedule: Schedule | None, tick: Tick | None) -> str:
    """Say why a moment is not run any more, "" when it is."""
    if schedule is None:
        return f"{stored.key.account} was deleted before this could run"
    if tick is not None and tick.state is not TickState.WAITING:
        return tick.detail or f"it is {tick.state} already"
    was_asked_for = tick is not None and tick.asked_by
    if schedule.status is ScheduleStatus.PAUSED and not was_asked_for:
        return f"{schedule.id} was paused before this could run"
    return ""


def _denied(tx: Tx, stored: Received, schedule: Schedule, problem: Problem) -> Work:
    """Refuse a moment in the name of its owner, who may do nothing here any more."""
    owner = users.get_(tx, schedule.owner_id)
    return Work(
        principal=to_principal(owner, Assurance.UNVERIFIED, scopes=frozenset()),
        envelopes=[bare_envelope_of(stored, command=schedule.order.command)],
        problem=problem,
        on_done=[_noted(stored)],
    )


def _envelope(stored: Received, schedule: Schedule, owner: Principal) -> Envelope:
    """Write the command in the JSON form; its maker consented when it was made."""
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        external_id=stored.key.key,
        sender=owner.id,
        command=schedule.order.command,
        args=schedule.order.arguments,
        received_at=stored.received_at,
        timezone=schedule.timing.zone,
        assurance=owner.assurance,
        payload_hash=stored.request_hash,
        request_id=stored.request_id,
        credential=owner,
        is_consent=True,
    )


def _noted(stored: Received) -> OnDone:
    return partial(_note, stored)


def _note(stored: Received, tx: Tx, answer: Answer) -> None:
    """Note on the moment what it led to, in the unit that ran it."""
    tick = ticks.find(tx, stored.request_id)
    if tick is None or tick.state is not TickState.WAITING:
        return
    reply = answer.reply
    outcome = outcome_of({"error": reply.error, "data": reply.data})
    skipped = str(reply.data.get("skipped") or "")
    ticks.note(
        tx,
        tick,
        _STATES[outcome],
        target=_started_by(reply),
        detail=reply.error.detail if reply.error else skipped or reply.summary,
    )


def _started_by(reply: Reply) -> str:
    """Find the id of the run or the job that a command has started, "" for none."""
    data: dict[str, Json] = dict(reply.data)
    named = [str(data.get(name) or "") for name in ("id", "run_id", "run", "job")]
    for prefix in ("J", "R"):
        for each in named:
            if number_of(each, prefix):
                return each
    return ""
