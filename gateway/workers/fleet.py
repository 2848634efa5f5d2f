"""A worker on a host that reaches nothing but its gateway over HTTP."""

import asyncio
import logging
import math
import signal
from dataclasses import dataclass
from datetime import timedelta

from core.kernel.lanes import Lane
from core.runs.reports import LEASES, Wanted
from gateway.settings import Settings
from gateway.workers.executors.every import executors
from gateway.workers.host import Host, Pace
from gateway.workers.link import Link
from gateway.workers.remote import RemoteCalls
from gateway.workers.work import Worker

_POLL = timedelta(seconds=0.2)
_HEALTH_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a worker works, and what it takes. No `lanes` means all."""

    url: str
    token: str
    name: str
    lanes: tuple[Lane, ...] = ()
    room: int = 2


async def work_for(post: Post, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT: the first finishes the steps, the second kills.

    Shape:  a gateway that cannot be reached is tried again for ever.
    Raises: Unauthenticated, Forbidden when the key is not, or no longer, good for it.
    """
    link = Link(post.url, post.token)
    host = _host(post, settings, link)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, _on_signal, host, post)
    telling = asyncio.create_task(_tell(host, post), name="worker-health")
    try:
        await host.run()
    finally:
        telling.cancel()
        await link.close()
    _log.info("worker.ended", extra={"worker": post.name})


def _host(post: Post, settings: Settings, link: Link) -> Host:
    calls = RemoteCalls(link)
    lease = _lease_of(settings)
    own = settings.workers.model_copy(update={"lease_seconds": lease})
    worker = Worker(
        calls, executors(settings), folder=settings.work_folder, settings=own
    )
    wanted = Wanted(
        worker=post.name,
        host="fleet",
        lanes=post.lanes,
        labels=settings.workers.label_set,
        takes_manual=False,
        lease=timedelta(seconds=lease),
    )
    return Host(calls, worker, wanted, Pace(room=post.room, poll=_POLL))


def _lease_of(settings: Settings) -> int:
    """Say for how many seconds a claim is to last; over a network not for too few."""
    wanted = math.ceil(settings.workers.lease_seconds)
    return min(max(wanted, LEASES[0]), LEASES[-1])


def _on_signal(host: Host, post: Post) -> None:
    if host.is_stopping:
        host.abort()
    else:
        _log.info("worker.stopping", extra={"worker": post.name, "busy": host.busy})
        host.stop()


async def _tell(host: Host, post: Post) -> None:
    """Say once that the gateway was reached, and how it goes every minute."""
    await host.reached.wait()
    print(f"Opswire worker {post.name} is ready for {post.url}", flush=True)  # noqa: T201
    while True:
        await asyncio.sleep(_HEALTH_SECONDS)
        event = "worker.healthy" if host.is_reaching else "worker.cut_off"
        _log.info(event, extra={"worker": post.name, "busy": host.busy})
