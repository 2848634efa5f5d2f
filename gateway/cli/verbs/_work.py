"""What `ops worker` does once it is loaded: works over HTTP, or for Celery."""

import asyncio
import os
import socket

from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from gateway.cli.exits import Exit
from gateway.cli.lazy import load
from gateway.cli.verbs._settings import settings_with
from gateway.cli.verbs.worker import TOKEN
from gateway.logs import set_up_logs
from gateway.settings import Settings
from gateway.workers.fleet import Post, work_for

_SERVE_CELERY = "gateway.workers.celery_serve:serve_celery"


def work(
    *,
    url: str,
    labels: str | None,
    lanes: str,
    concurrency: int | None,
    name: str,
    is_celery: bool,
) -> int:
    """Execute runs until told to stop; give the exit code.

    Raises: InvalidArgument, Unauthenticated, Forbidden, Unavailable.
    """
    settings = _with_labels(settings_with(), labels)
    set_up_logs(settings.log_level)
    if is_celery:
        return int(
            load(_SERVE_CELERY)(
                settings,
                name=name,
                concurrency=concurrency or settings.celery_concurrency,
            )
        )
    post = Post(
        url=url,
        token=_token(),
        name=name or socket.gethostname(),
        lanes=_lanes(lanes),
        room=concurrency or max(settings.workers.embedded, 1),
    )
    asyncio.run(work_for(post, settings))
    return Exit.OK


def _token() -> str:
    found = os.environ.get(TOKEN, "").strip()
    if not found:
        raise InvalidArgument(
            f"a worker signs in with a key, and {TOKEN} is not set",
            fix=["key create worker --scopes runs:work", f"export {TOKEN}=ops_live_…"],
            field=TOKEN,
        )
    return found


def _lanes(text: str) -> tuple[Lane, ...]:
    names = [each.strip().upper() for each in text.split(",") if each.strip()]
    try:
        return tuple(Lane(each) for each in names)
    except ValueError as fault:
        raise InvalidArgument(
            f"{text[:40]!r} names no lanes", fix=["--lanes A,B"], field="lanes"
        ) from fault


def _with_labels(settings: Settings, labels: str | None) -> Settings:
    if labels is None:
        return settings
    own = settings.workers.model_copy(update={"labels": labels})
    return settings.model_copy(update={"workers": own})
