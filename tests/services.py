"""Private Postgres and Redis servers for the tests that want one.

A server starts when the first test asks for it and its program is installed; otherwise
the test is skipped and says so. With OPSWIRE_REQUIRE_SERVICES=1 a missing program is a
failure, so that nothing is skipped where everything must run.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from psycopg import sql


@pytest.fixture(scope="session")
def postgres_server() -> Iterator["PostgresServer"]:
    """A Postgres server of this test process, reached by a Unix socket."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb = find_program("initdb", *versions)
    with _scratch("pg") as folder:
        server = PostgresServer(initdb.resolve().parent, folder)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: "PostgresServer") -> Iterator[str]:
    """The URL of an empty Postgres database that is dropped after the test."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis server of this test process."""
    program = find_program("redis-server")
    port = free_port()
    command = f"{program} --bind 127.0.0.1 --port {port} --appendonly no --save".split()
    command.append("")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        assert process.poll() is None, "redis-server did not start"
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The URL of a Redis that this test finds empty.

    Emptied before and after: what a stopped worker says last may come late.
    """
    _empty(redis_server)
    yield redis_server
    _empty(redis_server)


def _empty(url: str) -> None:
    port = url.rpartition(":")[2].partition("/")[0]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"


class RedisProcess:
    """A Redis of one test, to be killed and started again on the same port, empty."""

    def __init__(self) -> None:
        self._port = free_port()
        self._command = [
            str(find_program("redis-server")), "--bind", "127.0.0.1",
            "--port", str(self._port), "--appendonly", "no", "--save", "",
        ]  # fmt: skip
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """End it as a power cut would; it forgets everything."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def redis_process() -> Iterator[RedisProcess]:
    """A Redis that may be killed."""
    process = RedisProcess()
    yield process
    process.kill()


def free_port() -> int:
    """Find a TCP port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def find_program(name: str, *folders: Path) -> Path:
    """Find a program on the PATH or in some folders; without it, end the test."""
    path = os.pathsep.join([os.environ["PATH"], *map(os.fspath, folders)])
    found = shutil.which(name, path=path)
    return Path(found) if found else missing(name)


class PostgresServer:
    """One server with its data in a scratch folder; it refuses to run as root.

    So a root user runs it as the `postgres` that the package brought along.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._user = "postgres" if os.geteuid() == 0 else None
        self._numbers = count(1)
        if self._user:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)

    def start(self) -> None:
        """Create the cluster if there is none, start it and wait until it answers."""
        if not (self.folder / "data").exists():
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self._run("pg_ctl", "start", "-w", "-l", f"{self.folder}/log", "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `immediate` as a crash would, `fast` in good order."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def url(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its URL, drop it whoever is still connected."""
        name = sql.Identifier(f"test_{next(self._numbers)}")
        self._admin(sql.SQL("CREATE DATABASE {}").format(name))
        yield self.url(name.as_string().strip('"'))
        self._admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self.folder / "data", *arguments],
            check=True, stdout=subprocess.DEVNULL, user=self._user, cwd=self.folder,
        )  # fmt: skip


@contextmanager
def _scratch(name: str) -> Iterator[Path]:
    """Make a folder whose path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix=f"opswire-{name}-") as folder:
        yield Path(folder)


def missing(program: str) -> NoReturn:
    """Skip the test for want of a program; where nothing may be skipped, fail it."""
    message = f"{program} is not installed"
    if os.environ.get("OPSWIRE_REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)
