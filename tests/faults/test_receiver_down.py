"""A receiver of webhooks that is down, then slow, then failing: everything arrives."""

import asyncio
import logging
import random
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from channels.webhook.outward import seconds_until_next
from core.database import Database, Tx, open_engine
from core.database.migrate import upgrade
from core.delivery.outbox.model import Budget, OutboxState
from core.hooks.subscriptions import service as subscriptions
from core.kernel.principal import system
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.outbox import Postman
from tests.contract.conftest import open_database
from tests.faults.teller import start_teller
from tests.receivers import Receiver, says, waits
from tests.subscribers import a_user, subscribed
from tests.tellers import Terms, count_of, post_events, telling

DELIVERIES = 1_000
MOST_GROWTH = 80 * 1_048_576
SECOND = timedelta(seconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How long each trouble lasts, and by how much pauses are shortened.

    Units:  seconds; `answer_after` is what a slow answer takes, so long that the slow
            time is over before everything has arrived.
    """

    down: float
    slow: float
    answer_after: float
    failing: float
    hurry: int

    @property
    def terms(self) -> Terms:
        """The promised schedule, some hundred times as fast; rests too."""

        def sooner(attempt: int, *, chance: float) -> float:
            return min(seconds_until_next(attempt, chance=chance) / self.hurry, 1.0)

        rests = [SECOND * each / self.hurry for each in (5, 15, 30, 60, 120, 300)]
        return Terms(schedule=sooner, rests=rests)


SHORT = Trial(down=1, slow=1, answer_after=0.05, failing=1, hurry=200)
LONG = Trial(down=60, slow=20, answer_after=0.5, failing=20, hurry=20)


@pytest.mark.parametrize("trial", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
async def test_a_receiver_in_trouble_is_told_everything_in_the_end(
    tmp_path: Path, trial: Trial
) -> None:
    """R-17: 1,000 deliveries arrive, each known by its id, in bounded memory."""
    receiver = Receiver(says(204))
    await receiver.start()
    await receiver.stop()
    db, vault = subscribed_database(tmp_path, receiver.url)
    keys = await asyncio.to_thread(post_events, db, DELIVERIES)
    before = psutil.Process().memory_info().rss

    async with telling(db, vault, terms=trial.terms) as postman, working(postman):
        await asyncio.sleep(trial.down)
        tried_while_down = await tries(db)
        await get_well_slowly(receiver, trial)
        await until(lambda: count_of(db, OutboxState.WAITING) == 0)

    grown = psutil.Process().memory_info().rss - before
    _log.info("tried %d while down, %d MB", tried_while_down, grown // 1_048_576)
    came = Counter(hit.id for hit in receiver.hits)
    assert came.keys() == set(keys)
    assert count_of(db, OutboxState.DEAD) == 0
    # While nobody takes anything, few are tried, and the others cost nothing.
    assert tried_while_down < DELIVERIES / 4
    assert grown < MOST_GROWTH
    await receiver.stop()
    db.close()


async def get_well_slowly(receiver: Receiver, trial: Trial) -> None:
    """Be up but slow, then up but failing, then well; each for a while."""
    assert not receiver.hits
    receiver.usual = waits(trial.answer_after, says(204))
    await receiver.start()
    await asyncio.sleep(trial.slow)
    assert 0 < len(receiver.hits) < DELIVERIES
    receiver.usual = says(500, b"out of order")
    await asyncio.sleep(trial.failing)
    assert len(receiver.hits) < DELIVERIES
    receiver.usual = says(204)


def subscribed_database(folder: Path, url: str) -> tuple[Database, Vault]:
    """Make a database in which one receiver is subscribed to everything."""
    engine = open_engine(f"sqlite:///{folder}/ops.db")
    upgrade(engine)
    engine.dispose()
    db = open_database(f"sqlite:///{folder}/ops.db")
    vault = Vault(FileKeystore(folder / "keystore.json"))
    subscribed(db, a_user(db, "ann"), vault, url=url)
    return db, vault


@asynccontextmanager
async def working(postman: Postman) -> AsyncIterator[None]:
    """Have a postman work meanwhile."""
    task = asyncio.create_task(postman.run())
    try:
        yield
    finally:
        await postman.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool], *, seconds: float = 120) -> None:
    """Wait until something is so."""
    began = time.monotonic()
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() - began < seconds, "it never was"
        await asyncio.sleep(0.1)


async def tries(db: Database) -> int:
    """Count the failures in a row that the subscription knows of."""

    def failures(tx: Tx) -> int:
        return subscriptions.get_(tx, "SB-1").failures

    return await db.read(failures, by=system())


# ── and whoever delivers is killed ────────────────────────────────────────────
@pytest.mark.parametrize(
    ("kills", "count"), [(3, 300), pytest.param(40, 1_000, marks=pytest.mark.soak)]
)
async def test_a_killed_gateway_loses_no_webhook(
    tmp_path: Path, kills: int, count: int
) -> None:
    """R-17, R-01: at most what was under way at a kill comes again, under its id."""
    receiver = Receiver(waits(0.01, says(204)))
    await receiver.start()
    db, _ = await asyncio.to_thread(subscribed_database, tmp_path, receiver.url)
    keys = await asyncio.to_thread(post_events, db, count)

    for number in range(1, kills + 1):
        goal = number * count // (kills + 1) + random.randint(0, count // (2 * kills))
        teller = start_teller(tmp_path)
        await until(lambda goal=goal: arrived(receiver) >= goal)  # type: ignore[misc]
        await asyncio.to_thread(end, teller)
    teller = start_teller(tmp_path)
    await until(lambda: count_of(db, OutboxState.WAITING) == 0)
    await asyncio.to_thread(end, teller)

    came = Counter(hit.id for hit in receiver.hits)
    assert came.keys() == set(keys)
    assert sum(came.values()) - count <= kills * Budget().most
    assert len({hit.body for hit in receiver.hits}) == count
    await receiver.stop()
    db.close()


def arrived(receiver: Receiver) -> int:
    """Count what has come, each once."""
    return len({hit.id for hit in receiver.hits})


def end(teller: "subprocess.Popen[bytes]") -> None:
    """End one as a power cut would."""
    teller.kill()
    teller.wait(timeout=10)
