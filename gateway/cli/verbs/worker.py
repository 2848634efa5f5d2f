"""`ops worker`: execute runs on this machine."""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence

import click

from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from gateway.cli.exits import Exit
from gateway.cli.lazy import load
from gateway.cli.terminal import DEFAULT_URL
from gateway.cli.verbs._settings import settings_with
from gateway.logs import set_up_logs
from gateway.settings import Settings
from gateway.workers.fleet import Post, work_for

TOKEN = "OPSWIRE_WORKER_TOKEN"  # noqa: S105 - a name, not the token
_SERVE_CELERY = "gateway.workers.celery_serve:serve_celery"


@click.command()
@click.option("--url", envvar="OPSWIRE_URL", default=DEFAULT_URL, help="The gateway.")
@click.option("--token", help=f"Its key; better said as {TOKEN}, which no list shows.")
@click.option("--labels", help="What this machine has: linux,gpu.")
@click.option("--lanes", default="", help="Take runs of these lanes only: A,B.")
@click.option("--concurrency", type=click.IntRange(1, 256), help="Runs at a time.")
@click.option("--name", default="", help="What this worker is called.")
@click.option("--celery", is_flag=True, help="Be rung for by Celery, on REDIS_URL.")
def worker(  # noqa: PLR0913 - one for each option
    *,
    url: str,
    token: str | None,
    labels: str | None,
    lanes: str,
    concurrency: int | None,
    name: str,
    celery: bool,
) -> int:
    """Execute runs until SIGTERM or Ctrl-C; the second one kills the steps.

    Over HTTP it needs a key with the scope runs:work. With --celery it needs the
    database, the keystore and Redis, as a gateway does.
    """
    if token:
        _hide_token(token)
    settings = _with_labels(settings_with(), labels)
    set_up_logs(settings.log_level)
    if celery:
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


def _hide_token(token: str) -> None:
    """Begin again with the token in the environment, where no process list shows it."""
    os.environ[TOKEN] = token
    os.execv(  # noqa: S606 - ourselves, with our own arguments
        sys.executable, [sys.executable, "-m", "gateway", *_without_token(sys.argv[1:])]
    )


def _without_token(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    is_token = False
    for word in words:
        if is_token:
            is_token = False
        elif word == "--token":
            is_token = True
        elif not word.startswith("--token="):
            kept.append(word)
    return kept


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
