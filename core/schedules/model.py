"""What a schedule is, what becomes of its moments, and which of them are made up for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import ScheduleId
from core.kernel.jsons import Json
from core.kernel.names import require_name
from core.kernel.problems import NotFound
from core.schedules.timing import Timing

CHANNEL = "schedule"
COLLECTION = "schedules"
FIRE = "schedule fire"  # what the audit calls a fire that was not let run
ASKED = "asked for by "
MOST_SCHEDULES = 500
MOST_FAILURES = 3
MOST_CAUGHT_UP = 100
ON_TIME = timedelta(minutes=1)
"""How late a moment may be and still counts as met."""


class ScheduleStatus(StrEnum):
    """Whether a schedule is due at its moments; what has ended has none any more."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class CatchUp(StrEnum):
    """Which moments are made up for that passed while nobody looked."""

    NONE = "none"
    ONE = "one"
    ALL = "all"


class Overlap(StrEnum):
    """What happens at a moment while what the last one started still goes on."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL_OLD = "cancel_old"
    ALLOW = "allow"


class TickState(StrEnum):
    """What became of a moment.

    `queued` waits for the one before, `waiting` stands in the inbox, `started` has a run
    that goes on; the rest is over. `missed` never ran, for a reason of the clock or of
    overlap; `skipped` was given up before it could run.
    """

    QUEUED = "queued"
    WAITING = "waiting"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    MISSED = "missed"


OPEN = (TickState.QUEUED, TickState.WAITING, TickState.STARTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command with its arguments, as it runs at each moment.

    Shape:  `line` is how it was written. `arguments` are in the JSON form; a time in it
            that was written as relative (`24h`, `tomorrow 9am`) is read at each moment.
    """

    line: str
    command: str
    arguments: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a schedule does when moments pass unseen, or come too soon."""

    catch_up: CatchUp = CatchUp.ONE
    overlap: Overlap = Overlap.SKIP


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A command that runs by the clock, in somebody's name.

    Shape:  `scopes` is what the owner may use at most; it runs with what of them the
            owner still holds. `reason` says why it is paused. `next_at` is its next
            moment, None while there is none; `paused_until` when it goes on by itself.
            `failures` counts those in a row.
    """

    id: ScheduleId
    name: str
    order: Order
    timing: Timing
    rules: Rules
    owner_id: str
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    status: ScheduleStatus = ScheduleStatus.ACTIVE
    reason: str = ""
    paused_until: datetime | None = None
    next_at: datetime | None = None
    last_at: datetime | None = None
    failures: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it is due at its moments."""
        return self.status is ScheduleStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One moment of a schedule: its identity, of which there is one for ever.

    Shape:  `request_id` is its row in the inbox, "" if it never had one. `target` is the
            id of what it started, "" for nothing. `detail` says why, or what came of it.
    """

    schedule_id: ScheduleId
    fire_at: datetime
    state: TickState
    request_id: str = ""
    target: str = ""
    detail: str = ""
    created_at: datetime | None = None

    @property
    def asked_by(self) -> str:
        """Who wanted it at once, "" when the clock did."""
        return self.detail.removeprefix(ASKED) if self.detail.startswith(ASKED) else ""


def parse_name(text: str) -> str:
    """Read a schedule's name.

    Raises: InvalidArgument.
    """
    return require_name("a schedule", text, such_as="nightly")


def caught_up(
    due: Sequence[datetime], now: datetime, rule: CatchUp
) -> tuple[Sequence[datetime], Sequence[datetime]]:
    """Part moments that are due into those to fire and those that were missed.

    Shape:  the newest one fires if it is at most a minute late, or anyway when one is
            made up for; all before it fire only when all are made up for.
    """
    if rule is CatchUp.ALL:
        return due[-MOST_CAUGHT_UP:], due[:-MOST_CAUGHT_UP]
    is_met = rule is CatchUp.ONE or (bool(due) and now - due[-1] <= ON_TIME)
    return (due[-1:], due[:-1]) if is_met else ((), due)


def unknown(reference: str) -> NotFound:
    """Say that there is no such schedule."""
    return NotFound(f"the schedule {reference[:40]}", fix=["schedule list"])
