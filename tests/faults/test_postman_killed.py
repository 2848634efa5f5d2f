"""kill -9 of a postman at random moments: nothing is lost, hardly anything comes twice."""

import asyncio
import logging
import random
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from core.database import Database, Tx, open_engine
from core.database.migrate import upgrade
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Budget, OutboxDraft, OutboxState
from core.kernel.jsons import to_json
from core.kernel.principal import system
from core.kernel.reply import Reply
from tests.contract.conftest import open_database
from tests.faults.postman import start_postman

ROOMS, EACH = 6, 20
PATIENCE_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Recipient:
    """Takes what is delivered to a port on loopback, a hundredth of a second each."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take nothing more."""
        self._server.close()
        await self._server.wait_closed()

    async def until(self, count: int) -> None:
        """Wait until that many different deliveries have come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(set(self.heard)) < count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.005)

    async def _take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.heard.append((await reader.readline()).decode().strip())
        await asyncio.sleep(0.01)
        writer.write(b"ok\n")
        writer.close()


@pytest.fixture
async def recipient() -> AsyncIterator[Recipient]:
    recipient = Recipient()
    await recipient.start()
    yield recipient
    await recipient.stop()


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
async def test_a_killed_postman_loses_nothing_and_keeps_the_order(
    tmp_path: Path, recipient: Recipient, kills: int
) -> None:
    """R-09, R-01: at most what was under way at a kill is delivered again."""
    url = f"sqlite:///{tmp_path}/ops.db"
    each = EACH * max(1, kills // 5)
    keys = await asyncio.to_thread(posted, url, each)

    for number in range(1, kills + 1):
        few = random.randint(1, len(keys) // kills)
        with killed(start_postman(url, recipient.port)):
            await recipient.until(min(len(keys), len(set(recipient.heard)) + few))
        _log.info("kill %d after %d deliveries", number, len(recipient.heard))
    db = open_database(url)
    with killed(start_postman(url, recipient.port)):
        await recipient.until(len(keys))
        await until_nothing_waits(db)
    db.close()

    came = Counter(recipient.heard)
    assert came.keys() == set(keys)
    assert sum(came.values()) - len(keys) <= kills * Budget().most
    for room in range(ROOMS):
        mine = dict.fromkeys(k for k in recipient.heard if k.startswith(f"{room}-"))
        assert list(mine) == [f"{room}-{number}" for number in range(each)]


@contextmanager
def killed(postman: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Have a postman work, and end it as a power cut would."""
    try:
        yield
    finally:
        postman.kill()
        postman.wait(timeout=10)


def posted(url: str, each: int) -> Sequence[str]:
    """Make a database in which answers for six rooms wait; give their keys."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    db = open_database(url)
    body = to_json(Reply(summary="Done")).decode()
    keys = [f"{room}-{number}" for number in range(each) for room in range(ROOMS)]
    for key in keys:
        draft = OutboxDraft(
            key=key,
            channel="slack",
            account="acme",
            place={"channel": key.partition("-")[0]},
            body=body,
        )
        db.run(partial(outbox.post, draft=draft), by=system())
    db.close()
    return keys


async def until_nothing_waits(db: Database) -> None:
    """Wait until every delivery is noted as sent."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await db.read(_waiting, by=system()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _waiting(tx: Tx) -> bool:
    return ("slack", OutboxState.WAITING) in outbox.count_open(tx)
