"""Notices when a SQLite file is taken away from under its open connections.

SQLite goes on writing to a file that was removed or replaced, and whatever it stores
there is gone with the process. So a connection remembers which file it opened.
"""

import os
import sqlite3
from typing import NamedTuple

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_MARK = "file"


class FileMark(NamedTuple):
    """Which file a path led to; the numbers are 0 where there was none."""

    path: str
    device: int
    inode: int


class _Watch:
    """Follows the connections of one engine to one file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._was_there = False

    def before_connect(self, *_: object) -> None:
        """Refuse to make a missing database anew: it is gone, not new."""
        if self._was_there and not os.path.exists(self._path):
            raise sqlite3.OperationalError(f"the database file {self._path} is gone")

    def on_connect(self, _: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        """Note which file was opened."""
        mark = entry.info[_MARK] = _mark_of(self._path)
        self._was_there = self._was_there or mark.inode > 0

    def on_checkout(
        self, _: DBAPIConnection, entry: ConnectionPoolEntry, __: PoolProxiedConnection
    ) -> None:
        """Have the pool replace a connection to a file that is no longer there."""
        if _is_elsewhere(entry.info.get(_MARK)):
            raise DisconnectionError("the database file was replaced")


def watch_file(engine: Engine, path: str) -> None:
    """Have the pool drop connections to a file that is no longer the one at `path`."""
    watch = _Watch(path)
    event.listen(engine, "do_connect", watch.before_connect)
    event.listen(engine, "connect", watch.on_connect)
    event.listen(engine, "checkout", watch.on_checkout)


def has_moved(connection: Connection) -> bool:
    """Tell whether the file that a connection writes to is no longer the database's."""
    return _is_elsewhere(connection.info.get(_MARK))


def _is_elsewhere(mark: FileMark | None) -> bool:
    return mark is not None and _mark_of(mark.path) != mark


def _mark_of(path: str) -> FileMark:
    try:
        found = os.stat(path)
    except OSError:
        return FileMark(path, 0, 0)
    return FileMark(path, found.st_dev, found.st_ino)
