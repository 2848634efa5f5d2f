"""The worked example of a channel: installed, graded, and served like any other."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.identity.links.model import Account
from core.kernel.principal import Role, system
from gateway.testing.people import link, somebody
from tests.integration.conftest import Serving
from tests.integration.served import PATIENCE_SECONDS, Served

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples/pager"
SECRET = "a-secret-of-tests"  # pragma: allowlist secret
ANN = "+49 30 1234567"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as pip installs it, in a folder of its own."""
    source = tmp_path_factory.mktemp("pager")
    target = tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE, source, dirs_exist_ok=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    where = ["--no-index", "--no-build-isolation", "--target", f"{target}", f"{source}"]
    subprocess.run([*pip, *where], check=True, capture_output=True)
    return target


def author(folder: Path, *command: str, path: Sequence[Path] = ()) -> str:
    """Run Python in an author's project, and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={"PYTHONPATH": ":".join(map(str, path)), "HOME": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass_from_its_own_project(installed: Path) -> None:
    """Parsing, both ends, redelivery, strangers, outages: without our suite."""
    told = author(EXAMPLE, *PYTEST, path=[installed])

    assert re.search(r"^\d\d passed", told, re.MULTILINE), told


def test_it_is_graded_by_hand() -> None:
    told = author(
        EXAMPLE,
        *("channels.testing.conformance", "quality.toml"),
        *("--spec", "opswire_pager:SPEC"),
    )

    assert told.endswith("pager declares bronze and reaches bronze\n")


def test_it_is_less_than_a_hundred_lines() -> None:
    """All that a channel is made of, its quality.toml included; blank lines are free."""
    files = [EXAMPLE / "opswire_pager.py", EXAMPLE / "quality.toml"]

    lines = [line for file in files for line in file.read_text().splitlines() if line]

    assert len(lines) < 100


def test_the_page_shows_the_very_code() -> None:
    page = (ROOT / "docs/how-to/write-a-channel.md").read_text()

    for name in ("opswire_pager.py", "quality.toml", "pyproject.toml"):
        assert (EXAMPLE / name).read_text() in page, name


PYTEST = (
    *("pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."),
    *("-o", "asyncio_default_fixture_loop_scope=function"),
)
Network = list[dict[str, str]]
Ask = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    """The pages that left, and where the gateway is told to send them."""
    pages: Network = []

    async def take(request: web.Request) -> web.Response:
        pages.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("PAGER_URL", f"http://127.0.0.1:{port}/")
    monkeypatch.setenv("PAGER_SECRET", SECRET)
    yield pages
    await runner.cleanup()


@pytest.fixture
async def gateway(
    serving: Serving,
    network: Network,
    installed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Served]:
    """A served gateway that finds the channel where pip put it."""
    monkeypatch.syspath_prepend(str(installed))
    yield await serving()
    sys.modules.pop("opswire_pager", None)


def link_ann(gateway: Served) -> None:
    """Link ann's pager to her, as both sides would have done."""
    account = Account(channel="pager", account="main", sender=ANN)
    gateway.graph.db.run(
        lambda tx: link(tx, account, somebody(tx, "ann", Role.OPERATOR)), by=system()
    )


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """Look again and again until there is something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def test_a_page_makes_a_task_and_is_answered_once(
    gateway: Served, network: Network
) -> None:
    """Over HTTP, through the inbox, the one road, the outbox and the courier."""
    link_ann(gateway)
    page = {"id": "1", "from": ANN, "text": 'task create "Fix login"'}

    async def left() -> Network:
        return network

    async with gateway.client() as client:
        for _ in range(3):
            taken = await client.post(
                "/v1/pages", json=page, headers={"x-pager-secret": SECRET}
            )
            assert taken.status_code == 202, taken.text
        await until(left)
        await gateway.graph.intake.settle()
        tasks = await client.get("/collab/tasks")

    assert [each["text"].partition("\n")[0] for each in network] == [
        "Created T-1 in queued"
    ]
    assert [each["created_by"] for each in tasks.json()["items"]] == ["ann"]


async def test_it_is_listed_among_the_channels(gateway: Served) -> None:
    async with gateway.client() as client:

        async def listed() -> Any:
            told = (await client.get("/v1/channels")).json()
            return [each for each in told["items"] if each["channel"] == "pager"]

        [found] = await until(listed)
        brought = (await client.get("/v1/plugins")).json()["items"]
        probe = await client.post("/v1/channels/pager/test", json={})

    assert found["state"] == "connected"
    assert [each["account"] for each in found["accounts"]] == ["main"]
    assert [each["channels"] for each in brought] == [["pager"]]
    assert probe.json()["ok"]


async def test_it_can_be_switched_off(gateway: Served, network: Network) -> None:
    link_ann(gateway)
    page = {"id": "1", "from": ANN, "text": "task create hello"}
    async with gateway.client() as client:

        async def listed() -> bool:
            told = await client.get("/v1/channels/pager")
            return told.status_code == 200

        await until(listed)
        await client.post("/v1/channels/pager/disable", json={"reason": "flood"})
        await client.post("/v1/pages", json=page, headers={"x-pager-secret": SECRET})
        await gateway.graph.intake.settle()
        tasks = await client.get("/collab/tasks")

    assert tasks.json()["items"] == []
