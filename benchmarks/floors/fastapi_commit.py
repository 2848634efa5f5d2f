"""Why there is group commit: the FastAPI echo with one durable SQLite commit each."""

import os
import sqlite3
from pathlib import Path

from fastapi import FastAPI

from benchmarks.floors import fastapi_echo
from benchmarks.floors.fastapi_echo import Line


def create_app() -> FastAPI:
    """Build the echo that stores a line before it answers."""
    app = fastapi_echo.create_app()
    database = _open(Path(os.environ["FLOOR_DATA"]) / "floor.db")

    @app.post("/commit")
    async def commit(body: Line) -> Line:
        database.execute("INSERT INTO lines (line) VALUES (?)", (body.line,))
        return body

    return app


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY, line TEXT)"
    )
    return database
