"""A line over Postgres: LISTEN and NOTIFY on two connections beside the pool.

NOTIFY is not part of the writer's transactions: there it would take a lock on the whole
database at every COMMIT, and go out even for who does not listen.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from sqlalchemy import URL

CHANNEL = "opswire"

_CONNECT_SECONDS = 5


class PostgresLine:
    """One line; `told` sends and `heard` listens."""

    def __init__(
        self,
        told: "psycopg.AsyncConnection[tuple[object, ...]]",
        heard: "psycopg.AsyncConnection[tuple[object, ...]]",
    ) -> None:
        self._told = told
        self._heard = heard

    async def send(self, text: str) -> None:
        """Notify everybody who listens.

        Raises: ConnectionError.
        """
        try:
            await self._told.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))
        except psycopg.Error as fault:
            raise ConnectionError(f"NOTIFY failed: {fault}") from fault

    async def listen(self) -> AsyncIterator[str]:
        """Yield what everybody sends.

        Raises: ConnectionError.
        """
        try:
            async for notice in self._heard.notifies():
                yield notice.payload
        except psycopg.Error as fault:
            raise ConnectionError(f"LISTEN failed: {fault}") from fault


@asynccontextmanager
async def open_postgres_line(url: URL) -> AsyncIterator[PostgresLine]:
    """Connect twice, and listen.

    Raises: ConnectionError.
    """
    try:
        async with await _connect(url) as told, await _connect(url) as heard:
            await heard.execute(f"LISTEN {CHANNEL}")
            yield PostgresLine(told, heard)
    except psycopg.Error as fault:
        raise ConnectionError(f"no line to Postgres: {fault}") from fault


async def _connect(url: URL) -> "psycopg.AsyncConnection[tuple[object, ...]]":
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(
        conninfo,
        autocommit=True,
        connect_timeout=_CONNECT_SECONDS,
        tcp_user_timeout=10_000,
        keepalives_idle=10,
    )
