"""A gateway in a process of its own, which a test may kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[3]
ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"


class GatewayProcess:
    """`ops serve` over one data folder; it can be killed and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.url = ""
        self._log = data.with_suffix(".log")
        self._process: subprocess.Popen[str] | None = None

    @property
    def folder(self) -> Path:
        return self.data / "collaboration"

    def start(self) -> None:
        """Serve on a free port; return when commands are accepted."""
        environ = {
            **os.environ,
            "OPSWIRE_BOOTSTRAP_ADMIN_KEY": ADMIN_KEY,
            "OPSWIRE_LIMITS__DEFAULT": "1000000/second",
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--port", "0",
                 "--data", str(self.data)],
                cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "is ready on" in line:
                self.url = line.split()[-1]
                return
        self.kill()
        raise AssertionError(self._log.read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def client(self) -> httpx2.Client:
        """Connect as admin."""
        return httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {ADMIN_KEY}"},
            timeout=20,
        )

    def etag(self, kind: str) -> tuple[int, str]:
        """Read the version and the digest of a collection."""
        with self.client() as client:
            answer = client.get(f"/collab/state/{kind}")
        version, _, digest = answer.headers["etag"].strip('"').partition("-")
        return int(version), digest

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.communicate(timeout=30)
            self._process = None
