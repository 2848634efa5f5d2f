"""`ops worker`: execute runs on this machine."""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from gateway.cli.exits import Exit
from gateway.cli.lazy import load
from gateway.cli.terminal import DEFAULT_URL

TOKEN = "OPSWIRE_WORKER_TOKEN"  # noqa: S105 - a name, not the token
_WORK = "gateway.cli.verbs._work:work"


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
    # What works takes a second to load, in which it may be told to stop already.
    signal.signal(signal.SIGTERM, _leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    if token:
        _hide_token(token)
    wanted = {"lanes": lanes, "concurrency": concurrency, "name": name}
    return int(load(_WORK)(url=url, labels=labels, is_celery=celery, **wanted))


def _leave(_: int, __: FrameType | None) -> None:
    """Stop before anything was taken."""
    raise SystemExit(Exit.OK)


def _hide_token(token: str) -> None:
    """Begin again with the token in the environment, where no process list shows it."""
    os.environ[TOKEN] = token
    # Until what begins anew listens for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
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
