"""Follows the runs that schedules started, and tells people of schedules that failed."""

from collections.abc import Callable

from commands import blocks
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft
from core.events.model import Event, EventFilter
from core.identity.users import service as users
from core.kernel.jsons import to_json
from core.kernel.reply import SUMMARY_LIMIT, Reply
from core.kernel.sanitise import sanitise_reply
from core.schedules import service as schedules
from core.schedules import ticks
from core.schedules.model import MOST_FAILURES, Schedule, ScheduleStatus
from gateway.readers import Reader, readers_of

PAUSED = "schedule_paused"
ENDED = frozenset({"run_succeeded", "run_failed", "run_cancelled"})


class ScheduleResults:
    """The consumer that notes on a schedule's moment how its run ended.

    Shape:  the event is only a hint: what is noted is read off the run itself. A moment
            that waited for this one goes into the inbox in the same unit, which `expect`
            is told beforehand.
    """

    name = "schedule-results"

    def __init__(self, expect: Callable[[], None]) -> None:
        self._expect = expect

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want the ends of those runs that some moment waits for."""
        runs = ticks.awaited_runs(tx)
        if runs is not None and not runs:
            return None
        return EventFilter(types=ENDED, targets=runs or frozenset())

    def react(self, tx: Tx, event: Event) -> None:
        """Note how a run ended."""
        self._expect()
        ticks.run_ended(tx, event.target)


class ScheduleNotices:
    """The consumer that tells a schedule's owner that it failed too often, or was paused.

    Shape:  they are told at each account that they have linked, unless they paused it
            themselves; what was resumed or deleted meanwhile is not worth telling.
    """

    name = "schedule-notices"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what pauses one."""
        return EventFilter(types=frozenset({PAUSED}))

    def react(self, tx: Tx, event: Event) -> None:
        """Post the news to whom it belongs.

        Raises: NotFound when it was deleted.
        """
        found = schedules.get_(tx, event.target)
        is_by_owner = event.actor == users.get_(tx, found.owner_id).name
        if found.status is not ScheduleStatus.PAUSED:
            return
        if is_by_owner and found.failures < MOST_FAILURES:
            return
        for reader in readers_of(tx, found.owner_id):
            outbox.post(tx, _to_reader(tx, found, reader, by=event.actor))


def _to_reader(tx: Tx, found: Schedule, reader: Reader, *, by: str) -> OutboxDraft:
    why = found.reason or f"by {by}"
    named = f" ({found.name})" if found.name else ""
    reply = sanitise_reply(
        Reply(
            id=tx.new_token("rp"),
            summary=f"{found.id}{named} is paused: {why}"[:SUMMARY_LIMIT],
            actor=tx.principal.name,
            channel=reader.channel,
            blocks=(
                blocks.fields(
                    ("schedule", f"{found.id}{named}"),
                    ("runs", found.order.line),
                    ("reason", why),
                    ("paused by", by),
                ),
                blocks.actions(
                    ("What happened", f"schedule ticks {found.id}"),
                    ("Resume", f"schedule resume {found.id}"),
                ),
            ),
            data={"id": found.id, "name": found.name, "reason": found.reason},
        )
    )
    return OutboxDraft(
        key=reply.id,
        channel=reader.channel,
        account=reader.account,
        place={**reader.place, "this": found.id},
        body=to_json(reply).decode(),
        subject=f"schedule:{found.id}:{reader.person_id}",
        appearance=Appearance.NEW,
    )
