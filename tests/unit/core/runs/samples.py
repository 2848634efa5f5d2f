"""Runs as pure tests need them."""

from dataclasses import replace
from datetime import UTC, datetime

from core.kernel.ids import RunId
from core.runs.model import Run, RunStatus

_MOMENT = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


def a_run(**fields: object) -> Run:
    """Make a run, without a database."""
    plain = Run(
        id=RunId("R-1"),
        kind="template",
        status=RunStatus.QUEUED,
        available_at=_MOMENT,
        created_at=_MOMENT,
        actor_id="ann",
        actor="ann",
    )
    return replace(plain, **fields)  # type: ignore[arg-type]
