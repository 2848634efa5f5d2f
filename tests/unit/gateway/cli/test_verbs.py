"""Verbs of this machine, on real databases and folders."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.database import open_engine
from core.database.migrate import upgrade
from gateway.cli.verbs._settings import settings_with
from gateway.cli.verbs.backup import copy
from gateway.cli.verbs.doctor import check_data, check_port
from gateway.cli.verbs.key import run_here
from gateway.verbs import VERBS
from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply, an_error


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, and no settings from outside."""
    for name in [
        each for each in os.environ if each.startswith(("OPSWIRE_", "DATABASE_"))
    ]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("OPSWIRE_DATA", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def database(data: Path) -> Path:
    """A database with the current schema."""
    engine = open_engine(f"sqlite:///{data}/opswire.db")
    upgrade(engine)
    engine.dispose()
    return data / "opswire.db"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_explains_itself(
    name: str, ops: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ops.run(name, "--help") == 0
    assert f"Usage: ops {name}" in capsys.readouterr().out


def test_wrong_use_of_a_verb_exits_2(ops: Console) -> None:
    assert ops.run("serve", "--port", "nowhere") == 2
    assert "nowhere" in ops.err


def test_remote_command_starts_without_server_and_database() -> None:
    """A command of the gateway must not wait for what only a server needs."""
    code = "import sys, gateway.__main__; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    heavy = {
        "uvicorn",
        "fastapi",
        "sqlalchemy",
        "pydantic",
        "click",
        "asyncio",
        "httpx2",
    }
    assert not heavy & set(done.stdout.split())


def test_migrate_makes_the_schema_and_check_tells(ops: Console, data: Path) -> None:
    assert ops.run("migrate", "--check") == 1
    assert ops.out == "the schema is missing\n"

    assert ops.run("migrate") == 0
    assert ops.out == "the schema is current\n"
    assert ops.run("migrate", "--check") == 0

    assert ops.run("migrate", "--down", "base") == 0
    assert ops.out == "the schema is missing\n"


def test_migrate_reports_a_database_that_is_gone(
    ops: Console, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()
    (data / "opswire.db").write_bytes(b"this is no database at all, " * 100)

    assert ops.run("migrate", "--check") == 1
    assert "not a database" in ops.err


def test_setting_that_does_not_fit_is_named(
    ops: Console, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSWIRE_PORT", "many")

    assert ops.run("migrate", "--check") == 2
    assert "PORT" in ops.err


def test_backup_copies_a_database_in_use(
    ops: Console, database: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copies" / "one.db"
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("CREATE TABLE kept (word TEXT)")
        writer.execute("INSERT INTO kept VALUES ('before')")
        writer.commit()
        writer.execute("INSERT INTO kept VALUES ('not committed')")

        assert ops.run("backup", str(target)) == 0

    assert ops.out == f"{target}\n"
    with closing(sqlite3.connect(target)) as copied:
        assert copied.execute("SELECT word FROM kept").fetchall() == [("before",)]
    assert target.stat().st_mode & 0o777 == 0o600


def test_backup_has_a_place_of_its_own(ops: Console, database: Path) -> None:
    assert ops.run("backup") == 0
    assert Path(ops.out.strip()).parent == database.parent / "backups"


def test_failed_backup_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "opswire.db"
    source.write_bytes(b"this is no database at all, " * 100)

    with pytest.raises(sqlite3.DatabaseError):
        copy(source, tmp_path / "copy.db")

    assert [each.name for each in tmp_path.iterdir()] == ["opswire.db"]


def test_backup_without_a_database_says_so(ops: Console, data: Path) -> None:
    assert ops.run("backup") == 1
    assert "ops serve" in ops.err


def test_backup_of_postgres_names_its_tool(
    ops: Console, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:secret@db/ops")

    assert ops.run("backup", "ops.dump") == 1
    assert ops.out == 'pg_dump --format=custom --file=ops.dump "$DATABASE_URL"\n'


def test_doctor_is_content_when_all_works(
    ops: Console, stub: StubGateway, database: Path
) -> None:
    stub.answer({"status": "ready"})
    stub.answer(a_reply("ann via cli, tenant default"))

    assert ops.run("doctor") == 0
    names = [line.split()[1] for line in ops.out.splitlines()]
    assert names == [
        "python", "node", "data", "database", "sandbox", "gateway", "key",
    ]  # fmt: skip
    assert "ann via cli" in ops.out


def test_doctor_names_the_command_that_mends_a_schema(ops: Console, data: Path) -> None:
    open_engine(f"sqlite:///{data}/opswire.db").connect().close()
    ops.environ["OPSWIRE_URL"] = "http://127.0.0.1:1"

    assert ops.run("doctor") == 1
    assert "fix: ops migrate" in ops.out


def test_doctor_finds_a_key_that_is_refused(
    ops: Console, stub: StubGateway, database: Path
) -> None:
    stub.answer({"status": "ready"})
    stub.answer(an_error(401, "unauthenticated"), 401)

    assert ops.run("doctor") == 1
    assert "fix: ops login" in ops.out


def test_doctor_tells_a_taken_port_from_a_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        assert check_port("127.0.0.1", port).fix == f"ops serve --port {port + 1}"

    assert check_port("127.0.0.1", port).fix == "ops serve"


def test_doctor_sees_a_folder_that_cannot_be_written() -> None:
    assert not check_data(Path("/proc/none")).is_ok


def test_first_key_is_made_on_this_machine(ops: Console, data: Path) -> None:
    del ops.environ["OPSWIRE_API_KEY"]
    ops.environ.pop("OPSWIRE_URL", None)

    code = ops.run(
        "key", "create", "--name", "ci", "--scopes", "tasks:read", "-o", "id"
    )

    assert code == 0, ops.err
    assert ops.out == "K-1\n"


@pytest.mark.usefixtures("data")
def test_first_key_of_another_tenant_is_made_here_too(ops: Console) -> None:
    del ops.environ["OPSWIRE_API_KEY"]
    ops.environ.pop("OPSWIRE_URL", None)
    asyncio.run(run_here(settings_with(), "tenant create acme"))

    missing = ops.run("key", "create", "first", "--tenant", "nobody")
    made = ops.run("key", "create", "first", "--tenant", "acme", "-o", "id")

    assert missing == 3
    assert made == 0, ops.err
    assert ops.out.endswith("K-1\n")


@pytest.mark.usefixtures("data")
def test_first_key_of_another_tenant_is_made_here_by_who_is_signed_in(
    ops: Console,
) -> None:
    """As `tenant create` says, in the terminal in which that was run."""
    ops.environ["OPSWIRE_URL"] = "http://127.0.0.1:9"
    asyncio.run(run_here(settings_with(), "tenant create acme"))

    code = ops.run("key", "create", "first", "--tenant", "acme", "-o", "id")

    assert code == 0, ops.err
    assert ops.out.endswith("K-1\n")


def test_key_is_made_remotely_by_who_has_one(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply("Made K-2"))

    assert ops.run("key", "create", "ci") == 0
    assert stub.requests[0].line == "key create ci"


def test_seed_posts_the_backlog_with_keys(ops: Console, stub: StubGateway) -> None:
    """Running it twice sends the same keys, so nothing happens twice."""
    stub.answer(a_reply("Created"))

    ops.run("seed")
    first = [request.body for request in stub.requests]
    ops.run("seed")

    assert [request.body for request in stub.requests[len(first) :]] == first
    assert [body["args"]["id"] for body in first] == [
        *(f"T-10{n}" for n in range(6)), *(f"T-20{n}" for n in range(5)),
    ]  # fmt: skip
    assert all(body["id"] == f"seed-{body['args']['id']}" for body in first)
    assert first[0]["args"]["external_key"] == "TDS-100"
    before: set[str] = set()
    for body in first:
        assert set(body["args"]["needs"]) <= before
        before.add(body["args"]["id"])


def test_seed_takes_tasks_that_exist_as_they_are(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(an_error(409, "already_exists"), 409)

    assert ops.run("seed") == 0
    assert ops.err.count("is there already") == 11


def test_seed_stops_at_a_refusal(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_error(403, "missing_scope"), 403)

    assert ops.run("seed") == 1
    assert len(stub.requests) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_calls_back(shell: str, ops: Console) -> None:
    assert ops.run("completion", shell) == 0
    assert "ops completion words --" in ops.out


def test_completion_knows_local_verbs_without_a_gateway(ops: Console) -> None:
    ops.environ["OPSWIRE_URL"] = "http://127.0.0.1:1"

    assert ops.run("completion", "words", "--", "ba") == 0
    assert ops.out == "backup\n"


def test_version_is_printed(ops: Console) -> None:
    assert ops.run("version") == 0
    assert ops.out.startswith("ops ")


def test_shell_wants_a_terminal(ops: Console) -> None:
    assert ops.run("shell") == 2
    assert "ops -" in ops.err
