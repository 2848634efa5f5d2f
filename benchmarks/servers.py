"""Start a server on its core, wait for it, watch its CPU and memory, stop it."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cores import pinned, server_core

TREE = Path(__file__).resolve().parent.parent
DATABASE = "opswire.db"

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_OK = 200
_START_SECONDS = 60
_STOP_SECONDS = 20
_POLL_SECONDS = 0.005


class NotReady(Exception):
    """The server ended, or did not become ready in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server.

    Shape:  `key` is an API key it knows, "" for a floor; `data` is where it writes.
    Units:  `ready_after` is seconds from exec to the first 200 on /readyz.
    """

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    ready_after: float
    key: str = ""

    @property
    def database(self) -> Path:
        """The file that a gateway keeps everything in."""
        return self.data / DATABASE

    def cpu_seconds(self) -> float:
        """Return the CPU time that its process and all threads of it have used."""
        fields = _proc(self.process.pid, "stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def resident_mib(self) -> float:
        """Return the memory that is resident now, of it and its child processes."""
        return sum(_resident_kib(pid) for pid in _family(self.process.pid)) / 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How to start one server."""

    command: Sequence[str]
    port: int
    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    key: str = ""


def machine_seconds() -> float:
    """Return the CPU time that all processes of this machine have used."""
    user, nice, system, _, _, irq, softirq, steal, *_ = _proc("stat").split()[1:]
    spent = (user, nice, system, irq, softirq, steal)
    return sum(map(int, spent)) / _TICKS_PER_SECOND


@contextmanager
def opswire(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run the gateway of this tree, with an admin key and limits out of reach."""
    port, key = _free_port(), secrets.token_hex(20)
    plan = _Plan(
        command=[
            sys.executable,
            "-m",
            "gateway",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--data",
            str(data),
        ],
        port=port,
        data=data,
        key=key,
        environment={
            "OPSWIRE_BOOTSTRAP_ADMIN_KEY": key,
            "OPSWIRE_LIMITS__DEFAULT": "100000000/minute",
            # No file: the demo's tasks are not among the acknowledged ones.
            "OPSWIRE_FLAGS_FILE": str(data / "flags.json"),
            **(settings or {}),
        },
    )
    with _running(plan) as server:
        yield server


@contextmanager
def floor(name: str, data: Path) -> Iterator[Server]:
    """Run `benchmarks/floors/<name>.py`, one uvicorn process without an access log."""
    port = _free_port()
    app = f"benchmarks.floors.{name}:create_app"
    plan = _Plan(
        command=[
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            app,
            "--port",
            str(port),
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--no-access-log",
            "--log-level",
            "warning",
        ],
        port=port,
        data=data,
        environment={"FLOOR_DATA": str(data)},
    )
    with _running(plan) as server:
        yield server


@contextmanager
def canned(data: Path) -> Iterator[Server]:
    """Run the fixed answer that shows how fast the load generator is by itself."""
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.floors.canned", str(port)]
    with _running(_Plan(command=command, port=port, data=data)) as server:
        yield server


@contextmanager
def _running(plan: _Plan) -> Iterator[Server]:
    plan.data.mkdir(parents=True, exist_ok=True)
    log = plan.data / "server.log"
    began = time.perf_counter()
    with log.open("ab") as sink, pinned(server_core()):
        process = subprocess.Popen(
            plan.command,
            cwd=TREE,
            env=_environment(plan.environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    try:
        _wait_until_ready(process, plan.port, log)
        yield Server(
            process=process,
            port=plan.port,
            data=plan.data,
            key=plan.key,
            ready_after=time.perf_counter() - began,
        )
    finally:
        _stop(process)


def _environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Take this environment without settings that would change what is measured."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPSWIRE_") and name not in ("DATABASE_URL", "LOG_LEVEL")
    }
    return {**kept, **additions}


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _is_ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReady(log.read_text(errors="replace")[-1500:] or "it said nothing")
        time.sleep(_POLL_SECONDS)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _family(pid: int) -> list[int]:
    children = _proc(pid, f"task/{pid}/children").split()
    return [pid, *(relative for child in children for relative in _family(int(child)))]


def _resident_kib(pid: int) -> int:
    _, _, rest = _proc(pid, "status").partition("VmRSS:")
    return int(rest.split(maxsplit=1)[0])


def _proc(*path: str | int) -> str:
    return Path("/proc", *map(str, path)).read_text()
