"""A Postgres and a Redis of a benchmark's own, durable as one would run them."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.servers import NotReady

_START_SECONDS = 60


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a Postgres, fsync on, reached by a Unix socket; give the URL of a database.

    Raises: NotReady when it is not installed or does not start.
    """
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        folder.parent.chmod(0o755)

    def run(*command: str) -> None:
        subprocess.run(
            [programs / command[0], "-D", folder / "data", *command[1:]],
            check=True,
            user=user,
            stdout=subprocess.DEVNULL,
            timeout=_START_SECONDS,
        )

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        run("pg_ctl", "start", "-w", "-l", f"{folder}/log", "-o", options)
    except (OSError, subprocess.SubprocessError) as fault:
        raise NotReady(f"Postgres: {fault}") from fault
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "-w", "-m", "immediate")


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps nothing on disk; give its URL.

    Raises: NotReady when it is not installed or does not start.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise NotReady("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready to accept connections" in line:
                break
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _programs() -> Path:
    """Find the newest Postgres of this machine.

    Raises: NotReady.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    if not found:
        raise NotReady("Postgres is not installed")
    return found[0].parent
