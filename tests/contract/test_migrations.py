"""The schema: the same from the revisions as from the tables, however it was reached."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from core.database import open_engine
from core.database.migrate import downgrade, upgrade
from core.database.schema import SchemaState, schema_state
from gateway.schema import whole_schema

MIGRATE = """
import sys
from core.database import open_engine
from core.database.migrate import upgrade
from core.database.schema import schema_state

engine = open_engine(sys.argv[1])
upgrade(engine)
print(schema_state(engine).value)
"""
# A step of the migration that does not end: the process announces it, then waits.
STUCK = """
import sys, time
from alembic import op
from core.database import open_engine
from core.database.migrate import upgrade
from sqlalchemy import event

engine = open_engine(sys.argv[1])

@event.listens_for(engine, "after_cursor_execute")
def wait(connection, cursor, statement, *rest):
    if "CREATE TABLE leases" in statement:
        print("half way", flush=True)
        time.sleep(600)

upgrade(engine)
"""


def differences(engine: Engine) -> Sequence[object]:
    """List what tells the database from the declared tables."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True, "compare_type": True}
        )
        found: Sequence[object] = compare_metadata(context, whole_schema())
        return found


def start(program: str, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, url], text=True, stdout=subprocess.PIPE
    )


def test_revisions_lead_to_the_declared_tables(empty_url: str) -> None:
    """R-31: up, down to nothing, and up again."""
    engine = open_engine(empty_url)

    upgrade(engine)
    assert differences(engine) == []
    downgrade(engine, revision="base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)

    assert differences(engine) == []
    assert schema_state(engine) is SchemaState.CURRENT
    engine.dispose()


def test_partial_indexes_are_partial_on_both(empty_url: str) -> None:
    """A comparison of schemas does not look at this."""
    engine = open_engine(empty_url)
    upgrade(engine)

    with engine.connect() as connection:
        catalog = "sqlite_master" if "sqlite" in empty_url else "pg_indexes"
        column = "sql" if "sqlite" in empty_url else "indexdef"
        found = connection.execute(
            text(f"SELECT {column} FROM {catalog} WHERE {column} LIKE '%ix_inbox_%'")
        ).scalars()
        partial = [sql for sql in found if "WHERE" in sql]

    assert len(partial) == 4
    engine.dispose()


def test_a_revision_from_the_future_is_recognised(empty_url: str) -> None:
    engine = open_engine(empty_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert schema_state(engine) is SchemaState.NEWER
    engine.dispose()


def test_four_processes_may_migrate_at_once(empty_url: str) -> None:
    """R-31: one applies, the others wait for it."""
    processes = [start(MIGRATE, empty_url) for _ in range(4)]

    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert outputs == ["current\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4


def test_a_killed_migration_is_completed_later(empty_url: str) -> None:
    """R-31: kill -9 in the middle undoes all of it, and frees the lock."""
    process = start(STUCK, empty_url)
    assert process.stdout is not None
    assert process.stdout.readline() == "half way\n"
    waiting = start(MIGRATE, empty_url)

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    assert waiting.communicate(timeout=60)[0] == "current\n"
    engine = open_engine(empty_url)
    assert differences(engine) == []
    engine.dispose()


@pytest.mark.soak
def test_a_second_process_waits_longer_than_a_command_would(tmp_path: Path) -> None:
    """R-31: a long migration is waited for; the bound of commands is not its bound."""
    url = f"sqlite:///{tmp_path}/slow.db"
    process = start(STUCK, url)
    assert process.stdout is not None
    process.stdout.readline()
    waiting = start(MIGRATE, url)

    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=7)
    process.kill()
    process.communicate()

    assert waiting.communicate(timeout=60)[0] == "current\n"


def test_outcomes_are_read_off_the_answers_there_were(empty_url: str) -> None:
    """What failed before the column was there can be replayed as well."""
    engine = open_engine(empty_url)
    upgrade(engine, revision="0002")
    answers = {
        "failed": '{"error":{"code":"x","detail":"\\u0000"},"data":{}}',
        "skipped": '{"error":null,"data":{"skipped":""}}',
        "done": '{"error":null,"data":{"items":[]}}',
        "": "",
    }
    row = text(
        "INSERT INTO inbox (tenant_id, channel, account, sender, key, seq,"
        " conversation, reply_id, request_id, request_hash, state, payload, reply,"
        " claimed_until, created_at) VALUES ('default', 'webhook', 'W-1', '', :key, 1,"
        " '', :key, '', '', :state, '{}', :reply, 0, 0)"
    )
    with engine.begin() as connection:
        for outcome, reply in answers.items():
            state = "done" if outcome else "received"
            connection.execute(row, {"key": outcome, "reply": reply, "state": state})

    upgrade(engine)

    with engine.connect() as connection:
        told = connection.execute(text("SELECT key, outcome FROM inbox")).all()
    assert {each.key: each.outcome for each in told} == {each: each for each in answers}
    engine.dispose()
