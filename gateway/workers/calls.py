"""What a worker asks of the queue, whether that is here or behind HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.principal import TenantId
from core.runs.model import Progress, Step
from core.runs.reports import Beat, Outcome, Report, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run that this worker holds; every call about it carries its id and fence."""

    tenant: TenantId
    run_id: str
    fence: int
    attempt: int
    lane: Lane
    kind: str
    name: str = ""
    task: str = ""
    input: Mapping[str, Json] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    lease_expires_at: datetime
    deadline_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """A file that a step left behind; `is_partial` when the step did not succeed."""

    name: str
    path: Path
    kind: str = "file"
    is_partial: bool = False


class Calls(Protocol):
    """The fenced calls; each is tried again while the other side cannot be reached.

    Raises: LeaseLost when the run is held by another attempt now: the worker stops the
            work and says nothing more of it. Unavailable when nobody answered in time.
    """

    async def claim(self, wanted: Wanted) -> Sequence[Claimed]:
        """Take runs; none when there is nothing to do."""
        ...

    async def beat(self, held: Claimed, progress: Progress | None = None) -> Beat:
        """Say that the work goes on; the first beat says that it has begun."""
        ...

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        """Tell what happened, in order."""
        ...

    async def put(self, held: Claimed, produced: Produced) -> None:
        """Keep a file."""
        ...

    async def secrets(self, held: Claimed) -> Mapping[str, str]:
        """Read the stored secrets that the steps name, by their stored names."""
        ...

    async def complete(self, held: Claimed, outcome: Outcome) -> None:
        """End the attempt."""
        ...

    async def hand_back(self, held: Claimed, reason: str) -> None:
        """Give the run back between two steps; the attempt does not count."""
        ...
