"""The Celery application: what rings for a run, and what takes it when it rings.

`ops worker --celery` runs it; `celery -A gateway.workers.celery_app flower` watches it.
A message carries the ids of a tenant and a run and decides nothing: who gets the run is
decided in the database. So a message that comes twice, or never, does no harm.
"""

import socket
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from celery import Celery, Task  # type: ignore[import-untyped]

from core.kernel.principal import TenantId
from core.kernel.problems import InvalidArgument
from gateway.settings import Settings
from gateway.workers.celery_site import Site

QUEUE = "opswire"
TASK = "opswire.run"

_CONNECT_SECONDS = 2
# The longest that a lost message keeps Redis busy; the run itself is rung for again.
_VISIBILITY_SECONDS = 3_600


class RunTask(Task):  # type: ignore[misc] # Celery has no types.
    """Takes one run, and after it what else waits, until there is nothing."""

    name = TASK

    @cached_property
    def site(self) -> Site:
        """What this process works with; made by the first to ask."""
        return Site(Settings(), name=worker_name())

    def run(self, tenant: str, run_id: str) -> None:
        """Execute a run, if it is still there to be taken."""
        self.site.do(TenantId(tenant), run_id)


def worker_name(name: str = "") -> str:
    """Name the worker of this process, for Celery and for the queue alike."""
    return f"celery@{name or socket.gethostname()}"


def app_of(settings: Settings) -> Celery:
    """Build an application that knows these settings, and sends but takes nothing."""
    made = Celery("opswire", set_as_current=False)
    made.conf.update(configuration_of(settings))
    return made


def configuration() -> Mapping[str, Any]:
    """Read what Celery is to do from the environment, when it is first asked for."""
    return configuration_of(Settings())


def configuration_of(settings: Settings) -> Mapping[str, Any]:
    """Say what Celery is to do.

    Raises: InvalidArgument when there is no Redis.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        raise InvalidArgument(
            "Celery needs Redis, and REDIS_URL is not set",
            fix=["set REDIS_URL=redis://127.0.0.1:6379/0", "ops worker --url URL"],
            field="REDIS_URL",
        )
    return {
        "broker_url": url,
        "broker_connection_timeout": _CONNECT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": _VISIBILITY_SECONDS,
            "socket_connect_timeout": _CONNECT_SECONDS,
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": QUEUE,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_track_started": True,
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "worker_prefetch_multiplier": 1,
        "worker_pool": "threads",
        "worker_concurrency": settings.celery_concurrency,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "enable_utc": True,
    }


def _register(sender: Celery, **_: object) -> None:
    """Add the task once the application is used: that reads the environment."""
    sender.register_task(RunTask())


app = Celery("opswire", set_as_current=False)
app.add_defaults(configuration)
app.on_after_finalize.connect(_register)
