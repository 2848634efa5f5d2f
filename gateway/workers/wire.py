"""What a worker and its gateway say to each other as JSON; pure.

The gateway's side of it are the commands `run claim`, `run report` and their like.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.kernel.lanes import Lane
from core.kernel.principal import TenantId
from core.runs.codec import parse_step, show_error
from core.runs.model import Progress
from core.runs.reports import (
    Beat,
    LogReport,
    Note,
    Outcome,
    Report,
    StepReport,
    Wanted,
)
from gateway.workers.calls import Claimed

NO_TENANT = TenantId("")
"""A worker from outside does not know whose its runs are; its key does."""


def show_wanted(wanted: Wanted, *, wait_seconds: int) -> dict[str, Any]:
    """Write what a worker can take."""
    return {
        "worker": wanted.worker,
        "host": wanted.host,
        "lanes": [lane.value for lane in wanted.lanes],
        "labels": sorted(wanted.labels),
        "limit": wanted.limit,
        "manual": wanted.takes_manual,
        "wait_seconds": wait_seconds,
        "lease_seconds": int(wanted.lease.total_seconds()),
    }


def parse_claimed(shown: Mapping[str, Any]) -> Claimed:
    """Read a run that was given to this worker.

    Raises: KeyError, TypeError, ValueError for what is none.
    """
    deadline = shown.get("deadline_at")
    return Claimed(
        tenant=NO_TENANT,
        run_id=str(shown["id"]),
        fence=int(shown["fence"]),
        attempt=int(shown["attempt"]),
        lane=Lane(shown["lane"]),
        kind=str(shown["kind"]),
        name=str(shown.get("name", "")),
        task=str(shown.get("task", "")),
        input=dict(shown["input"]),
        steps=[parse_step(each) for each in shown["steps"]],
        lease_expires_at=datetime.fromisoformat(shown["lease_expires_at"]),
        deadline_at=datetime.fromisoformat(deadline) if deadline else None,
    )


def parse_beat(shown: Mapping[str, Any]) -> Beat:
    """Read the answer to a heartbeat.

    Raises: as `parse_claimed`.
    """
    return Beat(
        cancel=bool(shown["cancel"]),
        pause=bool(shown["pause"]),
        lease_expires_at=datetime.fromisoformat(shown["lease_expires_at"]),
    )


def show_progress(progress: Progress) -> dict[str, Any]:
    """Write how far a run is."""
    return asdict(progress)


def show_report(report: Report) -> dict[str, Any]:
    """Write one thing that a worker tells."""
    match report:
        case StepReport():
            return {
                "type": "step",
                "step": report.step,
                "status": report.status.value,
                "uses": report.uses,
                "exit_code": report.exit_code,
                "detail": report.detail,
            }
        case LogReport():
            return {"type": "log", **asdict(report)}
        case Progress():
            return {"type": "progress", **asdict(report)}
        case Note():
            return {"type": report.type, "details": dict(report.details)}


def show_outcome(outcome: Outcome) -> dict[str, Any]:
    """Write how an attempt ended."""
    shown: dict[str, Any] = {"status": outcome.status, "result": dict(outcome.result)}
    if outcome.error is not None:
        shown |= {"error": show_error(outcome.error), "final": outcome.is_final}
    return shown
