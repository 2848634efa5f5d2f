"""Which line there is to the other processes, if any."""

from functools import partial
from importlib import import_module

from core.database import Database, is_sqlite
from gateway.settings import Settings
from gateway.wakes.wakes import OpenLine, Wakes


def wakes_of(settings: Settings, db: Database) -> Wakes | None:
    """Take Redis when it is set, else Postgres; a SQLite file alone has none.

    The drivers are extras, and loaded by whoever needs them.
    """
    line = _line_of(settings, db)
    return Wakes(db, line) if line is not None else None


def _line_of(settings: Settings, db: Database) -> OpenLine | None:
    if url := settings.redis_url.get_secret_value():
        return partial(import_module("gateway.wakes.redis").open_redis_line, url)
    if is_sqlite(db.engine):
        return None
    opened = import_module("gateway.wakes.postgres").open_postgres_line
    return partial(opened, db.engine.url)
