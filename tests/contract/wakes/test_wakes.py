"""Processes hear of each other's commits, over Postgres and over Redis."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import psycopg
import pytest
from pydantic import SecretStr

from core.database import Database
from core.kernel.principal import TenantId, system
from gateway.settings import Settings
from gateway.wakes.lines import wakes_of
from gateway.wakes.redis import open_redis_line
from gateway.wakes.wakes import Line, Wakes
from tests.contract.conftest import open_database
from tests.services import RedisProcess

Log = Callable[[], list[str]]


@pytest.fixture
def both(tables_on_postgres: str) -> Iterator[tuple[Database, Database]]:
    """One database as two processes have it."""
    opened = open_database(tables_on_postgres), open_database(tables_on_postgres)
    yield opened
    for each in opened:
        each.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Tells what was logged of lines, in its order, none of it with a traceback."""
    caplog.set_level(logging.INFO)

    def told() -> list[str]:
        assert not any(record.exc_info for record in caplog.records)
        found = [record.getMessage() for record in caplog.records]
        return [message for message in found if message.startswith("wakes.")]

    return told


@pytest.fixture(params=["postgres", "redis"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings with a Redis, and without."""
    if request.param == "postgres":
        return Settings(redis_url=SecretStr(""))
    return Settings(redis_url=SecretStr(request.getfixturevalue("redis_url")))


async def test_a_commit_is_heard_by_the_other_process(
    both: tuple[Database, Database], settings: Settings
) -> None:
    """R-30: at once, and by nobody twice."""
    ours, theirs = both
    told, heard = wakes(settings, ours), wakes(settings, theirs)
    news = listener(theirs)
    own: list[set[TenantId]] = []
    ours.on_own_commit(own.append)

    async with running(told), running(heard):
        assert await news.get() == set()  # The line stands.
        await ours.write(lambda tx: tx.touch(), by=system(TenantId("acme")))
        found = await news.get()

    assert found == own[0] == {TenantId("acme")}
    assert news.empty()


async def test_a_line_that_is_cut_stands_again(
    both: tuple[Database, Database], tables_on_postgres: str, log: Log
) -> None:
    """R-43: it is opened anew, and what was missed meanwhile is looked for."""
    _, theirs = both
    some = wakes(Settings(redis_url=SecretStr("")), theirs)
    news = listener(theirs)

    async with running(some):
        assert await news.get() == set()
        await asyncio.to_thread(cut_listeners, tables_on_postgres)
        assert await news.get() == set()

    assert log() == ["wakes.lost", "wakes.back"]


async def test_a_lost_redis_is_told_once_and_so_is_its_return(
    both: tuple[Database, Database], redis_process: RedisProcess, log: Log
) -> None:
    """R-43: it is an everyday outage, two lines of a log and no traceback."""
    opened: asyncio.Queue[None] = asyncio.Queue()

    def open_line() -> AbstractAsyncContextManager[Line]:
        opened.put_nowait(None)
        return open_redis_line(redis_process.url)

    some, news = Wakes(both[0], open_line), listener(both[0])

    async with running(some):
        await news.get()
        redis_process.kill()
        for _ in range(3):  # The first stood, the second is refused.
            await opened.get()
        redis_process.start()
        await news.get()

    assert (log(), some.fault) == (["wakes.lost", "wakes.back"], "")


async def test_many_tenants_fit_into_messages(
    both: tuple[Database, Database], settings: Settings
) -> None:
    ours, theirs = both
    told, heard = wakes(settings, ours), wakes(settings, theirs)
    news = listener(theirs)
    wanted = {TenantId(f"t-{number:03}") for number in range(200)}

    async with running(told), running(heard):
        await news.get()
        writes = (ours.write(lambda tx: tx.touch(), by=system(each)) for each in wanted)
        await asyncio.gather(*writes)
        found: set[TenantId] = set()
        while found != wanted:
            found |= await news.get()


def test_a_file_alone_has_no_line(db: Database, tables_url: str) -> None:
    found = wakes_of(Settings(redis_url=SecretStr("")), db)

    assert (found is None) is tables_url.startswith("sqlite")


def wakes(settings: Settings, db: Database) -> Wakes:
    found = wakes_of(settings, db)
    assert found is not None
    return found


def listener(db: Database) -> "asyncio.Queue[set[TenantId]]":
    """Collect what a process hears of others."""
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[set[TenantId]] = asyncio.Queue()

    def hear(tenants: set[TenantId]) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(news.put_nowait, tenants)

    db.on_commit(hear)
    return news


@asynccontextmanager
async def running(some: Wakes) -> AsyncIterator[None]:
    """Have a process tell and hear meanwhile."""
    task = asyncio.create_task(some.run())
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def cut_listeners(url: str) -> None:
    """End the connections that do nothing but listen."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query = 'LISTEN opswire'"
        )
