"""What steps are done with: a folder, what is told, and a real queue."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from core.database import Database
from core.kernel.jsons import Json
from core.kernel.principal import Principal, TenantId
from core.runs import controls
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.logs import service as logs
from core.runs.model import NewRun, RetryRule, Run, Step
from core.runs.reports import LogReport, Note, Report, Wanted
from core.runs.secrets import service as secrets
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.settings import SandboxSettings, Settings, WorkerSettings
from gateway.workers.calls import Claimed
from gateway.workers.executors.base import Executor, StepWork
from gateway.workers.executors.every import executors
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.local import LocalCalls
from gateway.workers.sandbox.environment import PATH, environment_of
from gateway.workers.sandbox.limits import MIB, Isolation, Limits
from gateway.workers.work import Worker

GRACE = timedelta(seconds=0.3)
LIMITS = Limits(
    output_bytes=MIB, memory_bytes=256 * MIB, file_bytes=8 * MIB, processes=40
)
SETTINGS = Settings(
    workers=WorkerSettings(grace_seconds=0.3),
    sandbox=SandboxSettings(output_mib=1, processes=40),
)


class Bench:
    """Does single steps in a folder of its own, and keeps what they tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Report] = []
        self.stop = asyncio.Event()
        self.path = PATH

    def work(self, step: Step, *, secrets: Mapping[str, str] | None = None) -> StepWork:
        """Build the work on one step."""
        values = secrets or {}
        environment = environment_of(
            self.folder,
            parameters={"env": "prod"},
            own={**step.env, **values},
            run_id="R-7",
        )
        return StepWork(
            run_id="R-7",
            attempt=1,
            step=replace(step, secrets=dict.fromkeys(values, "stored")),
            input={},
            folder=self.folder,
            environment={**environment, "PATH": self.path},
            secrets=tuple(values.values()),
            tell=self.tell,
            stop=self.stop,
            grace=GRACE,
        )

    async def tell(self, report: Report) -> None:
        """Keep what is told."""
        self.told.append(report)

    @property
    def printed(self) -> str:
        """All that was printed."""
        return "".join(each.text for each in self.told if isinstance(each, LogReport))

    @property
    def notes(self) -> list[str]:
        """The types of all notes."""
        return [each.type for each in self.told if isinstance(each, Note)]


class Queue:
    """A real queue with a worker at it."""

    def __init__(self, db: Database, by: Principal, folder: Path) -> None:
        self.db = db
        self.by = by
        self.folder = folder / "work"
        self.vault = Vault(FileKeystore(folder / "keystore.json"))
        self.calls = LocalCalls(db, self.vault, tenants=self._tenants)
        self.worker = self.a_worker(executors(SETTINGS))

    def a_worker(self, having: Mapping[str, Executor]) -> Worker:
        """Hire a worker."""
        return Worker(self.calls, having, folder=self.folder, settings=SETTINGS.workers)

    def enqueue(self, *steps: Step, **given: Any) -> Run:
        """Queue a run; a failure of it is final, unless something else is given."""
        new = NewRun(steps=steps, **{"retry": RetryRule(max_attempts=1), **given})
        return self.db.run(lambda tx: runs.create(tx, new), by=self.by)

    async def claim(self) -> Claimed:
        """Take the next run."""
        (held,) = await self.calls.claim(Wanted(worker="bench", host="embedded"))
        return held

    async def run(self, *steps: Step, **given: Any) -> Run:
        """Queue a run, have it done, and see what became of it."""
        queued = self.enqueue(*steps, **given)
        await self.worker.work(await self.claim())
        return self.get(queued.id)

    def get(self, run_id: str) -> Run:
        """Read a run."""
        return self.db.run(lambda tx: runs.get_(tx, run_id), by=self.by)

    def cancel(self, run_id: str) -> None:
        """Ask for a run's end."""
        self.db.run(lambda tx: controls.cancel(tx, run_id, reason="enough"), by=self.by)

    def keep(self, name: str, value: str) -> None:
        """Keep a secret."""
        vault = self.vault
        self.db.run(lambda tx: secrets.set_(tx, name, value, vault=vault), by=self.by)

    def log(self, run_id: str) -> str:
        """Read what a run printed."""
        page = self.db.run(lambda tx: logs.read(tx, run_id), by=self.by)
        return "".join(each.text for each in page.chunks)

    def artifacts(self, run_id: str) -> dict[str, bool]:
        """Name the artifacts of a run; tell which are partial."""
        found = self.db.run(lambda tx: artifacts.list_of(tx, run_id), by=self.by)
        return {each.name: each.is_partial for each in found}

    async def until(self, run_id: str, text: str) -> None:
        """Wait until a run has printed something."""
        await until(lambda: text in self.log(run_id))

    async def _tenants(self) -> Sequence[TenantId]:
        return [self.by.tenant]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A folder, and what is told."""
    folder = tmp_path / "run"
    folder.mkdir()
    return Bench(folder.resolve())


@pytest.fixture(params=[Isolation.REQUIRED, Isolation.OFF])
async def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox with namespaces, and one without."""
    made = Sandbox(LIMITS, request.param)
    if request.param is Isolation.REQUIRED and not await made.has_namespaces():
        pytest.skip("this machine gives its users no namespaces")
    return made


@pytest.fixture
async def jail() -> Sandbox:
    """A sandbox with namespaces."""
    made = Sandbox(LIMITS, Isolation.REQUIRED)
    if not await made.has_namespaces():
        pytest.skip("this machine gives its users no namespaces")
    return made


@pytest.fixture
async def queue(db: Database, ann: Principal, tmp_path: Path) -> Queue:
    """A real queue with a worker at it."""
    return Queue(db, ann, tmp_path)


def shell(script: str, *, name: str = "step", **given: Any) -> Step:
    """Build a step that runs a script."""
    further: dict[str, Json] = given.pop("given", {})
    argv: list[Json] = ["bash", "-c", script]
    return Step(name=name, uses="shell", given={"argv": argv, **further}, **given)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process or thread does."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - a process rings no bell
            await asyncio.sleep(0.02)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request, its body included."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return head + await reader.readexactly(int(found[1]) if found else 0)


def living(mark: str) -> list[int]:
    """List the processes that have a mark on their command line."""
    return [
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if mark in " ".join(each.info["cmdline"] or ())
    ]
