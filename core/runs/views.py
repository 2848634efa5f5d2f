"""Runs as JSON, for replies and events."""

from datetime import datetime

from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.runs.codec import show_error, show_rule, show_step
from core.runs.explain import Explanation
from core.runs.model import Run, RunStatus

_WORDS = {
    RunStatus.SCHEDULED: "Waiting for its time",
    RunStatus.AWAITING_APPROVAL: "Waiting for approval",
    RunStatus.QUEUED: "Waiting",
    RunStatus.RETRY_WAIT: "Waiting for its next attempt",
    RunStatus.CLAIMED: "Starting",
    RunStatus.RUNNING: "Running",
    RunStatus.PAUSED: "Paused",
    RunStatus.CANCELLING: "Cancelling",
    RunStatus.SUCCEEDED: "Succeeded",
    RunStatus.FAILED: "Failed",
    RunStatus.TIMED_OUT: "Timed out",
    RunStatus.CANCELLED: "Cancelled",
}


def view(run: Run, *, why: Explanation | None = None) -> dict[str, Json]:
    """Show a run as JSON, without its steps; times in ISO 8601.

    Shape:  `state` is what people read: the status and its reason, or the whole
            explanation, if one is given.
    """
    return {
        "id": run.id,
        "kind": run.kind,
        "name": name_of(run),
        "alias": run.alias,
        "template": run.template,
        "template_version": run.template_version,
        "job": run.job,
        "task": run.task,
        "parent": run.parent,
        "lane": run.lane.value,
        "priority": run.priority,
        "status": run.status.value,
        "state": why.text if why else state_of(run),
        "reason": run.reason,
        "input": dict(run.input),
        "result": dict(run.result),
        "error": show_error(run.error),
        "attempt": run.attempt,
        "max_attempts": run.retry.max_attempts,
        "retry": show_rule(run.retry),
        "available_at": to_iso(run.available_at),
        "deadline_at": _iso(run.deadline_at),
        "ttl_at": _iso(run.ttl_at),
        "concurrency_key": run.concurrency_key,
        "concurrency_limit": run.concurrency_limit,
        "labels": [*sorted(run.labels)],
        "worker": run.worker,
        "fence": run.fence,
        "lease_expires_at": _iso(run.lease_expires_at),
        "heartbeat_at": _iso(run.heartbeat_at),
        "cancel_requested_at": _iso(run.cancel_requested_at),
        "paused_at": _iso(run.paused_at),
        "budget": run.budget,
        "actor": run.actor,
        "progress": {
            "done": run.progress.done,
            "total": run.progress.total,
            "note": run.progress.note,
        },
        "created_at": to_iso(run.created_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "version": run.version,
    }


def view_steps(run: Run) -> list[Json]:
    """Show what a run does, step by step, as a worker is given it."""
    return [show_step(step) for step in run.steps]


def name_of(run: Run) -> str:
    """Name a run for people: as whoever asked called it, else by what it does."""
    return run.alias or run.template or run.kind


def state_of(run: Run) -> str:
    """Say in words where a run stands, as far as the run alone tells."""
    word = _WORDS[run.status]
    if run.status in (RunStatus.RUNNING, RunStatus.CLAIMED):
        return f"{word} on {run.worker}"
    if run.status is RunStatus.FAILED and run.error is not None:
        at = f" at {run.error.step}" if run.error.step else ""
        return f"{word}{at}: {run.error.detail or run.reason}"
    return f"{word}: {run.reason}" if run.reason else word


def _iso(moment: datetime | None) -> str | None:
    return to_iso(moment) if moment else None
