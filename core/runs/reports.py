"""What workers and the queue say to each other; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.runs.model import Progress, RunError

LEASE = timedelta(seconds=30)
"""How long a worker keeps a run without a heartbeat; it sends one every third of it."""

LEASES = range(5, 3601)
"""The seconds that a worker from outside may ask for instead."""

MOST_CLAIMED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a worker can take.

    Shape:  no `lanes` means all. `takes_manual` is said by workers from outside alone.
            `kinds` restricts what is taken; none means all.
    """

    worker: str
    host: str = "external"
    lanes: Sequence[Lane] = ()
    labels: frozenset[str] = frozenset()
    limit: int = 1
    kinds: frozenset[str] = frozenset()
    takes_manual: bool = True
    lease: timedelta = LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The answer to a heartbeat: what the worker shall do, and how long it may."""

    cancel: bool
    pause: bool
    lease_expires_at: datetime


class StepStatus(StrEnum):
    """How far a step of an attempt is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """A step has begun, or ended with what is told here."""

    step: str
    status: StepStatus
    uses: str = ""
    exit_code: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """A piece of what a step printed."""

    text: str
    step: str = ""
    stream: Literal["stdout", "stderr"] = "stdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Anything else that a worker tells: it becomes an event about the run."""

    type: str
    details: Mapping[str, Json] = field(default_factory=dict)


Report = StepReport | LogReport | Progress | Note
"""On the wire an object with a `type`: `step`, `log`, `progress`, or a note's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended: succeeded with a result, failed with an error, or cancelled.

    Shape:  a failure that `is_final` is not tried again, whatever the retry rule says.
    """

    status: Literal["succeeded", "failed", "cancelled"]
    result: Mapping[str, Json] = field(default_factory=dict)
    error: RunError | None = None
    is_final: bool = False
