"""Clients that do not give up, and the account of what they were promised."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

import httpx2
from sqlalchemy import select

from core.audit import service as audit
from core.collab.tasks.tables import tasks
from core.database import Database, Tx
from core.events import service as events
from core.kernel.principal import system
from tests.contract.conftest import open_database
from tests.faults.gateway import client, send

_PAUSE_SECONDS = 0.1


class Load:
    """Clients that each create one task after the other, under keys of their own.

    Shape:  a task that was not acknowledged is sent again with its key until it is, so
            that in the end the acknowledged titles are all that there may be. Titles
            begin with `name`, which tells the loads of one database apart.
    """

    def __init__(
        self, urls: Sequence[str], *, name: str = "load", clients: int = 16
    ) -> None:
        self.acknowledged: dict[str, str] = {}
        self.refused: Counter[int] = Counter()
        self._urls = urls
        self._name = name
        self._clients = clients
        self._is_over = False
        self._heard = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have the clients work; at the end each finishes what it began."""
        async with asyncio.TaskGroup() as group, client() as http:
            working = [
                group.create_task(self._work(http, number))
                for number in range(self._clients)
            ]
            yield
            self._is_over = True
            await asyncio.gather(*working)

    async def more(self, count: int) -> None:
        """Wait until `count` further tasks are acknowledged."""
        target = len(self.acknowledged) + count
        await self.until(lambda: len(self.acknowledged) >= target)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for at most 30 seconds until something is so."""
        async with asyncio.timeout(30), self._heard:
            await self._heard.wait_for(is_so)

    def check(self, db: Database) -> None:
        """Compare what is stored with what was promised: nothing lost, twice or more."""
        stored = Counter(db.look(self._created, by=system()))
        promised = Counter((key, title) for title, key in self.acknowledged.items())
        assert stored == promised
        assert len(self.acknowledged) > self._clients
        assert db.look(audit.verify, by=system()).is_intact
        check_events(db)

    def _created(self, tx: Tx) -> list[tuple[str, ...]]:
        mine = tasks.c.title.startswith(f"{self._name}-")
        query = select(tasks.c.id, tasks.c.title)
        found = tx.execute(query.where(tasks.c.tenant_id == tx.tenant, mine))
        return [tuple(row) for row in found]

    async def _tell(self) -> None:
        async with self._heard:
            self._heard.notify_all()

    async def _work(self, http: httpx2.AsyncClient, number: int) -> None:
        for turn in count():
            if self._is_over:
                return
            title = f"{self._name}-{number}-{turn}"
            self.acknowledged[title] = await self._insist(http, title, start=number)
            await self._tell()

    async def _insist(self, http: httpx2.AsyncClient, title: str, *, start: int) -> str:
        """Send a task, to the next gateway each time, until one acknowledges it."""
        for attempt in count(start):
            url = self._urls[attempt % len(self._urls)]
            try:
                answer = await send(http, url, f"task create {title}", key=title)
            except httpx2.TransportError:
                self.refused[0] += 1
            else:
                if answer.status_code == 200:
                    return str(answer.json()["data"]["id"])
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
                self.refused[503] += 1
            await self._tell()
            await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError


def check_stored(load: Load, url: str) -> None:
    """Open the database of gateways that have ended, and compare."""
    db = open_database(url)
    load.check(db)
    db.close()


def check_events(db: Database) -> None:
    """Every number is there once, in order, and each task was created once."""
    found = db.look(lambda tx: events.list_after(tx, 0, limit=1_000_000), by=system())
    assert [each.seq for each in found] == list(range(1, len(found) + 1))
    created = Counter(each.target for each in found if each.type == "task_created")
    assert set(created.values()) == {1}
