"""`ops backup`: a copy of the database, made while it is in use."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import make_url

from gateway.cli.exits import Exit
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with
from gateway.settings import Settings


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def backup(terminal: Terminal, file: Path | None) -> Exit:
    """Copy the database to FILE (a new one under the data folder by default).

    A SQLite database is copied and checked here; for Postgres the command that does it
    is printed.
    """
    settings = settings_with()
    url = make_url(settings.database)
    target = file or _default_target(settings)
    if url.get_backend_name() != "sqlite":
        terminal.say("Postgres has its own tool for this; nothing was copied. Run:")
        target.parent.mkdir(parents=True, exist_ok=True)
        terminal.print(f'pg_dump --format=custom --file={target} "$DATABASE_URL"\n')
        return Exit.FAILED
    source = Path(url.database or "")
    if not source.is_file():
        raise click.ClickException(f"there is no database at {source}; run: ops serve")
    try:
        copy(source, target)
    except (sqlite3.Error, OSError) as fault:
        raise click.ClickException(f"{source} was not copied: {fault}") from fault
    terminal.print(f"{target}\n")
    return Exit.OK


def copy(source: Path, target: Path) -> None:
    """Copy a SQLite database that others are writing to.

    Shape:  the target appears whole and checked, or not at all, and is the owner's alone.
    Raises: sqlite3.Error, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy_checked(source, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _copy_checked(source: Path, draft: Path) -> None:
    place = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(place, uri=True)) as old,
        closing(sqlite3.connect(draft)) as new,
    ):
        old.backup(new)
        (verdict,) = new.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {verdict}")
    with draft.open("rb") as written:
        os.fsync(written.fileno())


def _default_target(settings: Settings) -> Path:
    now = datetime.now(UTC)
    kind = "db" if settings.database.startswith("sqlite") else "dump"
    return settings.data / "backups" / f"opswire-{now:%Y%m%d-%H%M%S}.{kind}"
