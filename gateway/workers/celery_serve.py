"""Runs a Celery worker in this process until it is told to stop."""

import os
import signal
from types import FrameType

from celery.signals import (  # type: ignore[import-untyped]
    worker_ready,
    worker_shutting_down,
)

from gateway.settings import Settings
from gateway.workers.celery_app import TASK, app, worker_name
from gateway.workers.celery_site import Site, require_shared


def serve_celery(settings: Settings, *, name: str, concurrency: int) -> int:
    """Take what is rung for; the first SIGTERM finishes the steps, the second kills.

    Raises: InvalidArgument without Redis, or on SQLite; Unavailable when the database
            cannot be opened.
    """
    require_shared(settings)
    # Whatever is wrong with the database is said before Celery starts.
    site = app.tasks[TASK].site = Site(settings, name=worker_name(name))
    worker_ready.connect(_on_ready)
    worker_shutting_down.connect(_on_stop)
    worker = app.Worker(
        hostname=site.name,
        concurrency=concurrency,
        pool="threads",
        loglevel=settings.log_level,
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    try:
        worker.start()
    finally:
        site.close()
    return int(worker.exitcode or 0)


def _on_ready(**_: object) -> None:
    print(f"Opswire worker {app.tasks[TASK].site.name} is ready for Celery", flush=True)  # noqa: T201


def _on_stop(**_: object) -> None:
    app.tasks[TASK].site.stop()
    signal.signal(signal.SIGTERM, _leave)


def _leave(_: int, __: FrameType | None) -> None:
    """Leave everything as it is: what was held is found again when its lease ends."""
    os._exit(1)
