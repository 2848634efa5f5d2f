"""What a channel of one's own has to show, and a whole page's way there and back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from opswire_pager import SPEC, PagerWire, render

from channels.testing.conformance import (
    Shown,
    check_lines,
    check_quality,
    check_renderer,
    check_wire,
)
from core.identity.links.model import Account
from core.kernel.envelope import Envelope
from core.kernel.reply import Reply
from gateway.testing.doorstep import Doorstep, doorstep

SECRET = "a-secret-of-tests"  # pragma: allowlist secret
ANN = "+49 30 1234567"


def read(line: str) -> Envelope:
    page = {"from": ANN, "text": line}
    now = datetime(2026, 11, 4, 9, tzinfo=UTC)
    [envelope] = PagerWire().parse(page, account="main", received_at=now).envelopes
    return envelope


def show(reply: Reply) -> Shown:
    page = render(reply)
    return Shown(text=page, aloud=page)


def test_a_line_arrives_as_it_was_sent() -> None:
    check_lines(read)


def test_nothing_that_is_stored_breaks_the_wire() -> None:
    check_wire(PagerWire(), {"page": {"from": ANN, "text": "task list"}})


def test_every_reply_fits_on_a_page() -> None:
    check_renderer(show, SPEC.capabilities)


def test_the_channel_is_as_good_as_it_says() -> None:
    check_quality(Path(__file__).with_name("quality.toml"), SPEC)


class Network:
    """The pager network: keeps what it is given, unless it is down."""

    def __init__(self) -> None:
        self.pages: list[dict[str, str]] = []
        self.is_down = False

    async def take(self, request: web.Request) -> web.Response:
        if self.is_down:
            return web.Response(status=503)
        self.pages.append(await request.json())
        return web.Response()


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    network, app = Network(), web.Application()
    app.router.add_post("/", network.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("PAGER_URL", f"http://127.0.0.1:{port}/")
    monkeypatch.setenv("PAGER_SECRET", SECRET)
    yield network
    await runner.cleanup()


@pytest.fixture
async def step(network: Network, tmp_path: Path) -> AsyncIterator[Doorstep]:
    async with doorstep(tmp_path / "data") as step:
        step.link(Account(channel="pager", account="main", sender=ANN), "ann")
        yield step


async def page(
    step: Doorstep, text: str, *, key: str, number: str = ANN, secret: str = SECRET
) -> int:
    """Have somebody page us, and whatever follows from it done."""
    body = orjson.dumps({"id": key, "from": number, "text": text})
    headers = {"x-pager-secret": secret, "content-type": "application/json"}
    answer = await step.gateway.send("POST", "/v1/pages", body, headers)
    await step.settle()
    return answer.status


async def test_a_page_runs_a_command_and_is_answered(
    step: Doorstep, network: Network
) -> None:
    assert await page(step, 'task create "Fix login"', key="1") == 202

    [answer] = network.pages
    assert answer["to"] == ANN
    assert answer["text"].startswith("Created T-1 in queued\n> task claim T-1")
    assert (await step.admin.say("task show T-1")).data["created_by"] == "ann"


async def test_a_page_that_comes_again_changes_nothing(
    step: Doorstep, network: Network
) -> None:
    for _ in range(3):
        assert await page(step, "task create once", key="1") == 202

    assert len(network.pages) == 1
    assert len((await step.admin.say("task list")).data["items"]) == 1


async def test_who_does_not_know_the_secret_is_not_heard(
    step: Doorstep, network: Network
) -> None:
    assert await page(step, "task create hello", key="1", secret="no") == 401

    assert network.pages == []
    assert (await step.admin.say("task list")).data["items"] == []


async def test_a_stranger_is_told_how_to_become_known(
    step: Doorstep, network: Network
) -> None:
    await page(step, "task list", key="1", number="+1 555 0100")
    await page(step, "link", key="2", number="+1 555 0100")

    [refused, linking] = network.pages
    assert "link" in refused["text"]
    assert "code" in linking["text"].lower()


async def test_a_risky_command_waits_for_the_line_on_the_page(
    step: Doorstep, network: Network
) -> None:
    step.link(Account(channel="pager", account="main", sender="+1"), "admin")
    await page(step, "channel disable email", key="1", number="+1")
    confirm = network.pages[-1]["text"].partition("\n> ")[2].splitlines()[0]

    await page(step, confirm, key="2", number="+1")

    assert network.pages[-1]["text"].startswith("email is off")


async def test_an_outage_loses_nothing_and_is_shown(
    step: Doorstep, network: Network
) -> None:
    network.is_down = True
    await page(step, "version", key="1")
    during = await standing(step)

    network.is_down = False
    await step.wait(timedelta(minutes=5))
    after = await standing(step)

    assert (during["state"], during["waiting"]) == ("degraded", 1)
    assert (after["state"], after["waiting"]) == ("connected", 0)
    assert len(network.pages) == 1


async def standing(step: Doorstep) -> dict[str, object]:
    """Look up how the channel stands, where everybody does."""
    listed = (await step.admin.say("channel list")).data["items"]
    [found] = [each for each in listed if each["channel"] == "pager"]
    return dict(found)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": 1}', b"x" * 20_000])
async def test_what_is_no_page_is_refused(step: Doorstep, body: bytes) -> None:
    answer = await step.gateway.send(
        "POST", "/v1/pages", body, {"x-pager-secret": SECRET}
    )

    assert answer.status in (400, 413)


async def test_without_a_network_there_is_no_door(tmp_path: Path) -> None:
    async with doorstep(tmp_path / "data") as step:
        doors = [each.spec.name for each in step.gateway.graph.doors]

    assert "pager" not in doors
