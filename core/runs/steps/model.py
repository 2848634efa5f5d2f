"""What is known of a step of an attempt; pure."""

from dataclasses import dataclass
from datetime import datetime

from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.runs.reports import StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of one attempt, in the order in which they began."""

    run_id: str
    attempt: int
    name: str
    position: int
    uses: str
    status: StepStatus
    exit_code: int | None = None
    detail: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


def view(step: StepRow) -> dict[str, Json]:
    """Show a step as JSON; times in ISO 8601."""
    return {
        "attempt": step.attempt,
        "name": step.name,
        "position": step.position,
        "uses": step.uses,
        "status": step.status.value,
        "exit_code": step.exit_code,
        "detail": step.detail,
        "started_at": to_iso(step.started_at) if step.started_at else None,
        "finished_at": to_iso(step.finished_at) if step.finished_at else None,
    }
