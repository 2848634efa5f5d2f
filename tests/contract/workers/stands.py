"""Gateways and workers in processes of their own: one stand for each host of runs."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from core.database import Database, open_engine
from core.kernel.principal import system
from core.runs import controls, service
from core.runs.model import NewRun, RetryRule, Run, RunStatus, Step
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.recording import recorded
from tests.faults.gateway import ADMIN_KEY, GatewayProcess

ANN = system(name="ann")
ONCE = RetryRule(max_attempts=1)
PATIENCE_SECONDS = 30.0


class Stand:
    """One gateway, and the worker that it needs beside it, if any.

    Shape:  `folder` may be written by steps. The database is opened here as well, as
            another process has it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        worker: Sequence[str] = (),
        first: str = "",
        database_url: str = "",
        **environment: str,
    ) -> None:
        self.folder = folder / "effects"
        self.folder.mkdir(parents=True)
        shared = {
            "OPSWIRE_SANDBOX__WRITABLE": str(self.folder),
            "OPSWIRE_WORKERS__EMBEDDED": "0" if worker else "4",
            "OPSWIRE_WORKERS__GRACE_SECONDS": "1",
            **environment,
        }
        self.gateway = _Gateway(folder / "data", database_url, shared)
        self.workers: list[WorkerProcess] = []
        self._folder = folder
        self._worker = worker
        self._shared = shared
        self.gateway.start()
        self.db = _open(self.gateway.database_url)
        keystore = FileKeystore(self.gateway.data / "keys" / "keystore.json")
        self.vault = Vault(keystore)
        if worker:
            self.add_worker(first)

    @property
    def worker_name(self) -> str:
        """What the queue calls the worker inside the gateway."""
        return f"{socket.gethostname()}-{self.gateway.port}"

    def called(self, name: str) -> str:
        """What the queue calls a worker that was started under a name."""
        return f"celery@{name}" if "--celery" in self._worker else name

    def add_worker(self, name: str = "") -> "WorkerProcess":
        """Start one more worker; it is ready when this returns."""
        words = [*self._worker, *(["--name", name] if name else [])]
        environment = {
            **self._shared,
            "OPSWIRE_URL": self.gateway.url,
            "OPSWIRE_WORKER_TOKEN": ADMIN_KEY,
            "OPSWIRE_DATABASE_URL": self.gateway.database_url,
            "OPSWIRE_DATA": str(self.gateway.data),
            "OPSWIRE_WORKERS__FOLDER": str(self._folder / f"work-{len(self.workers)}"),
        }
        log = self._folder / f"worker-{len(self.workers)}.log"
        self.workers.append(WorkerProcess(words, environment, log))
        return self.workers[-1]

    def close(self) -> None:
        """Leave nothing running."""
        for each in self.workers:
            each.end()
        self.gateway.end()
        self.db.close()

    # ── runs ──────────────────────────────────────────────────────────────────
    def start(self, *steps: Step, **more: object) -> Run:
        """Queue a run of these steps; it is tried once, unless more is said."""
        new = replace(NewRun(kind="trial", retry=ONCE), steps=steps, **more)  # type: ignore[arg-type]
        return self.db.run(lambda tx: service.create(tx, new), by=ANN)

    def get(self, run_id: str) -> Run:
        """Read a run."""
        return self.db.look(lambda tx: service.get_(tx, run_id), by=ANN)

    def cancel(self, run_id: str) -> None:
        """Ask for a run's end."""
        self.db.run(lambda tx: controls.cancel(tx, run_id, reason="not needed"), by=ANN)

    async def until(
        self, is_so: Callable[[], bool], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until something is so; give up after half a minute."""
        async with asyncio.timeout(patience):
            while True:
                if is_so():
                    return
                await asyncio.sleep(0.02)

    async def ended(self, run_id: str, *, patience: float = PATIENCE_SECONDS) -> Run:
        """Wait for a run's end."""
        await self.until(lambda: self.get(run_id).is_terminal, patience=patience)
        return self.get(run_id)

    async def running(self, run_id: str) -> Run:
        """Wait until a run is at work."""
        await self.until(lambda: self.get(run_id).status is RunStatus.RUNNING)
        return self.get(run_id)


class WorkerProcess:
    """`ops worker` in a process of its own."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "worker", *words],
                env={**os.environ, **environment},
                stdout=subprocess.PIPE, stderr=out, text=True,
            )  # fmt: skip

    def await_ready(self) -> None:
        """Wait until it says that it is ready."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert "is ready for" in said, f"{said}{self.log.read_text()}"

    def send(self, sig: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(sig)

    def stop(self) -> int:
        """Ask it to end, and wait; return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def end(self) -> None:
        """Kill it, if it still lives."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate()


class _Gateway(GatewayProcess):
    def __init__(
        self, data: Path, database_url: str, environment: Mapping[str, str]
    ) -> None:
        super().__init__(data, database_url=database_url)
        self._environment = environment

    def _settings(self) -> Mapping[str, str]:
        return {**super()._settings(), **self._environment}


def shell(name: str, script: str, **more: object) -> Step:
    """A step that runs a script, for as long as a minute."""
    step = Step(name=name, uses="shell", given={"argv": ["sh", "-c", script]})
    return replace(step, timeout=timedelta(seconds=60), **more)  # type: ignore[arg-type]


def effect(folder: Path) -> str:
    """A script that appends its run's id and attempt to a file, in one write."""
    return f'echo "$OPS_RUN_ID $OPS_ATTEMPT" >> {folder}/effects'


def effects(folder: Path) -> list[tuple[str, str]]:
    """Read the effects that there were: run id and attempt."""
    file = folder / "effects"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(line.split()[0], line.split()[1]) for line in lines]


def _open(url: str) -> Database:
    return recorded(open_engine(url))
