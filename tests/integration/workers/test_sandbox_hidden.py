"""What steps see of their worker's machine: its data, other runs and processes."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.runs.model import RunStatus, Step
from core.secrets.model import Purpose
from gateway.adapters.keystore import FileKeystore
from gateway.settings import SandboxSettings, Settings, WorkerSettings
from gateway.workers.executors.changelog import Changelog
from gateway.workers.executors.confines import sandbox_of
from gateway.workers.executors.every import executors
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.shell import Shell
from gateway.workers.sandbox.folders import make_folder
from tests.integration.workers.conftest import Bench, Queue, shell

_CANARY = "canary"
_SERVER = """
from mcp.server import MCPServer
server = MCPServer("reader")

@server.tool()
def add(a: int, b: int) -> int:
    return a + b

server.run("stdio")
"""


class Site:
    """A worker's machine: its data, what is kept there, and a run of its own."""

    def __init__(self, given: Path) -> None:
        top = given.resolve()
        self.data = top / "data"
        self.home = top / "home"
        self.settings = self._settings()
        self.bench = Bench(make_folder(self.settings.work_folder, "R-7", 1))
        keystore = self.data / "keys" / "keystore.json"
        FileKeystore(keystore).ring(Purpose.SIGN)
        others = make_folder(self.settings.work_folder, "R-8", 1) / "token"
        written = (
            self.data / "opswire.db", self.data / "opswire.db-wal", others,
            top / ".env", self.home / ".ssh" / "id", top / "elsewhere.db",
        )  # fmt: skip
        for each in written:
            each.parent.mkdir(parents=True, exist_ok=True)
            each.write_text(_CANARY)
        self.kept = [keystore, *written]

    def sandbox(self, isolation: str = "required", **further: str) -> Sandbox:
        """Build the sandbox of a worker here, as its settings have it."""
        return sandbox_of(self._settings(isolation, **further))

    def _settings(self, isolation: str = "required", **further: str) -> Settings:
        own = {"isolation": isolation, **further}
        return Settings(
            data=self.data,
            database_url=f"sqlite:///{self.data.parent}/elsewhere.db",
            workers=WorkerSettings(grace_seconds=0.3),
            sandbox=SandboxSettings.model_validate(own),
        )


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch, jail: Sandbox) -> AsyncIterator[Site]:
    """A machine whose data is outside of /tmp, which is hidden anyway."""
    assert await jail.has_namespaces()
    with TemporaryDirectory(dir="/var/tmp") as top:
        monkeypatch.setenv("HOME", f"{top}/home")
        monkeypatch.chdir(top)
        yield Site(Path(top))


def _reading(site: Site) -> Step:
    paths = [*map(str, site.kept), "/proc/1/environ", f"/proc/{os.getpid()}/environ"]
    return shell(f"cat {' '.join(paths)} 2>/dev/null; find {site.data} -type f")


async def test_a_step_in_namespaces_reads_nothing_that_its_worker_keeps(
    site: Site,
) -> None:
    """R-66: database, keys, .env, home, other runs, and processes."""
    result = await Shell(site.sandbox()).run(site.bench.work(_reading(site)))

    assert (result.is_good, site.bench.printed) == (True, "")


async def test_a_step_without_namespaces_reads_what_its_worker_reads(
    site: Site,
) -> None:
    """R-66: as docs/explanation/sandbox.md says."""
    await Shell(site.sandbox("off")).run(site.bench.work(_reading(site)))

    assert site.bench.printed.count(_CANARY) == len(site.kept) - 1
    assert "PATH=" in site.bench.printed


async def test_what_is_hidden_cannot_be_uncovered(site: Site) -> None:
    """R-66: not from further namespaces, where a step is root, either."""
    script = (
        f"for each in {site.data} / /tmp /dev; do "
        "unshare -Urm umount -l $each; unshare -Urm umount $each; done; "
        f"unshare -Urm sh -c 'mount --rbind / /tmp; cat /tmp{site.data}/opswire.db; "
        f"mount -o remount,bind,rw /; touch {site.data}/new'; "
        f"cat {site.data}/opswire.db; echo over"
    )

    await Shell(site.sandbox()).run(site.bench.work(shell(script)))

    assert site.bench.printed.endswith("over\n")
    assert _CANARY not in site.bench.printed
    assert not (site.data / "new").exists()


async def test_a_step_has_its_own_folder_and_its_own_tmp(
    site: Site, tmp_path: Path
) -> None:
    """R-66: what it writes to /tmp is for itself, and what others have is not seen."""
    others = tmp_path / "others"
    others.write_text(_CANARY)
    script = (
        f"cat {others}; echo mine > /tmp/mine && cat /tmp/mine; "
        "ls -A /tmp /dev/shm; echo kept > kept; touch ../beside"
    )

    await Shell(site.sandbox()).run(site.bench.work(shell(script)))

    assert "mine\n/dev/shm:\n\n/tmp:\nmine\n" in site.bench.printed
    assert _CANARY not in site.bench.printed
    assert (site.bench.folder / "kept").read_text() == "kept\n"
    assert "beside': Read-only" in site.bench.printed


async def test_a_step_finds_no_disks_but_what_programs_need(site: Site) -> None:
    """R-66: a disk holds whatever else is hidden; a terminal can be had."""
    script = (
        "find /dev -type b; ls /dev; head -c 3 /dev/zero | wc -c; echo x > /dev/null; "
        "script -qec tty /dev/null"
    )

    result = await Shell(site.sandbox()).run(site.bench.work(shell(script)))

    assert result.is_good
    assert site.bench.printed.split() == [
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
        "stdout", "tty", "urandom", "zero", "3", "/dev/pts/0",
    ]  # fmt: skip


async def test_a_folder_that_may_be_written_is_there_among_what_is_hidden(
    site: Site,
) -> None:
    """The longer path counts, whichever of the two it is."""
    shared = site.data / "shared"
    (shared / "keys").mkdir(parents=True)
    (shared / "keys" / "key").write_text(_CANARY)
    sandbox = site.sandbox(writable=str(shared), hide=f"{shared}/keys")
    script = f"echo new > {shared}/new; cat {shared}/keys/key; ls {site.data}"

    await Shell(sandbox).run(site.bench.work(shell(script)))

    assert (shared / "new").read_text() == "new\n"
    assert _CANARY not in site.bench.printed
    assert site.bench.printed.endswith("\nshared\nwork\n")


@pytest.mark.parametrize("root", ["git", "."])
async def test_a_repository_among_the_data_is_read(site: Site, root: str) -> None:
    """M-WRK-05: with its worktrees, which refer to one another, below an own root."""
    repository = _a_repository(site.data / "git" / "app")
    asked = repository
    if root == "git":
        asked = site.data / "git" / "tree"
        _git(repository, "worktree", "add", "-q", str(asked))
    given = {"repository": str(asked)}
    step = Step(name="s", uses="docs/changelog", given=given)

    changelog = Changelog(site.sandbox(), [site.data / root])
    result = await changelog.run(site.bench.work(step))

    assert result.is_good, site.bench.printed
    assert "- one" in (site.bench.folder / "CHANGELOG.md").read_text()


async def test_all_that_runs_do_goes_on_where_the_data_is_hidden(
    site: Site, db: Database, ann: Principal
) -> None:
    """R-66: files, secrets, artifacts and each executor that starts programs."""
    queue = Queue(db, ann, site.data)
    queue.worker = queue.a_worker(executors(site.settings))
    queue.keep("KEY", "correct-horse-battery")
    files = {"notes.md": "*  one\n", "a.py": "import os\n", "server.py": _SERVER}
    made = (
        "python3 -m zipfile -c a.zip notes.md; git init -q repo; cd repo; "
        "git -c user.name=ann -c user.email=a@b commit -q --allow-empty -m one"
    )

    run = await queue.run(
        Step(name="write", uses="files/write", given={"files": dict(files)}),
        shell(made, name="make", artifacts=["*.zip"]),
        shell('echo "$KEY" | wc -c', name="secret", secrets={"KEY": "KEY"}),
        Step(
            name="unpack", uses="files/unpack", given={"archive": "a.zip", "into": "o"}
        ),
        Step(name="format", uses="docs/format"),
        Step(name="lint", uses="lint", given={"paths": ["a.py"], "fails": False}),
        Step(name="log", uses="docs/changelog", given={"repository": "repo"}),
        Step(
            name="tool",
            uses="mcp",
            given={
                "argv": [sys.executable, "server.py"],
                "tool": "add",
                "arguments": {"a": 2, "b": 3},
            },
        ),
    )

    assert run.status is RunStatus.SUCCEEDED, (run.error, queue.log(run.id))
    assert "22\n" in queue.log(run.id)
    assert {"a.zip", "lint.json", "CHANGELOG.md"} <= queue.artifacts(run.id).keys()


def _a_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    _git(folder, "init", "-q")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def _git(folder: Path, *argv: str) -> None:
    own = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "-C", str(folder), *own, *argv], check=True)
