"""A gateway in a process of its own, to be killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import psutil  # type: ignore[import-untyped]

from tests.services import free_port

ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"
AUTHORIZED = {"Authorization": f"Bearer {ADMIN_KEY}"}


class GatewayProcess:
    """`ops serve` over a data folder, always on the same port.

    `starts` holds how many seconds each start took until commands were taken.
    """

    def __init__(self, data: Path, *, database_url: str = "") -> None:
        self.data = data
        self.database_url = database_url or f"sqlite:///{data}/opswire.db"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / f"log-{self.port}"
        self.starts: list[float] = []
        data.mkdir(parents=True, exist_ok=True)

    def start(self, *before: str) -> None:
        """Start it, behind the words of a tracer if given, and wait until it is ready."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "gateway", "serve",
                 "--port", str(self.port), "--data", str(self.data)],
                env={**os.environ, **self._settings()},
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert "is ready on" in said, f"{said}{self.log.read_text()}"
        assert httpx2.get(f"{self.url}/readyz").status_code == 200
        self.starts.append(time.monotonic() - began)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def stop(self, sig: signal.Signals = signal.SIGTERM, *, times: int = 1) -> int:
        """Ask it to end and wait for at most 30 seconds; return its exit code."""
        for _ in range(times):
            self.process.send_signal(sig)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def end(self) -> None:
        """Leave nothing running, a traced gateway included."""
        if self.starts and self.process.poll() is None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.kill()

    def _settings(self) -> Mapping[str, str]:
        return {
            "OPSWIRE_BOOTSTRAP_ADMIN_KEY": ADMIN_KEY,
            "OPSWIRE_LIMITS__DEFAULT": "100000000/minute",
            "OPSWIRE_DATABASE_URL": self.database_url,
            "OPSWIRE_WORKERS__EMBEDDED": "0",
        }


def client() -> httpx2.AsyncClient:
    """Open an HTTP client that may do everything."""
    return httpx2.AsyncClient(headers=AUTHORIZED, timeout=20)


async def send(
    http: httpx2.AsyncClient, url: str, line: str, *, key: str = "", **headers: str
) -> httpx2.Response:
    """Send one command line."""
    named = {"Idempotency-Key": key} if key else {}
    return await http.post(
        f"{url}/v1/commands", json={"line": line}, headers={**named, **headers}
    )
