"""What handlers of plugins do at work: wait, fail, try to end us; we go on."""

import asyncio

import pytest

from tests.integration.plugins.conftest import Workshop, disabled, gone, live

PLUGIN = '''import asyncio
import sys

from commands import command


@command("odd fail", scope="odd:read")
def fail(ctx):
    """Fail."""
    return {}["secret"]


@command("odd leave", scope="odd:read")
def leave(ctx):
    """Try to end the gateway."""
    sys.exit(1)


@command("odd write", scope="odd:write", danger="write", http="POST /v1/odd")
def write(ctx):
    """Try to end the writer."""
    sys.exit(1)


@command("odd nothing", scope="odd:read")
def nothing(ctx):
    """Return what is no answer."""


@command("odd wait", scope="odd:read")
async def wait(ctx, seconds: float = 0.0):
    """Wait for the world outside."""
    await asyncio.sleep(seconds)
    return {"waited": seconds}


@command("odd break", scope="odd:read")
async def break_(ctx):
    """Fail outside."""
    raise OSError("no route")
'''


NAP = '''import time
from pathlib import Path
from uuid import uuid4

from commands import command

FOLDER = Path("{folder}")


def nap():
    (FOLDER / f"{{uuid4()}}.napping").touch()
    while not (FOLDER / "wake").exists():
        time.sleep(0.02)
    return "awake"


@command("nap read", scope="nap:read")
def read(ctx):
    """Hold a thread."""
    return nap()


@command("nap outside", scope="nap:read")
async def outside(ctx):
    """Hold a loop."""
    return nap()
'''

WIPE = '''from commands import command


@command("wipe all", scope="tasks:write", danger="risky")
def wipe(ctx):
    """Wipe everything."""
    return "wiped"
'''


@pytest.mark.parametrize(
    ("line", "last_raised"),
    [
        ("odd fail", "KeyError: 'secret' (plugins/odd.py:10)"),
        ("odd leave", "SystemExit: 1 (plugins/odd.py:16)"),
        ("odd write", "SystemExit: 1 (plugins/odd.py:22)"),
        ("odd nothing", "it returned nothing; end the function with `return …`"),
        ("odd break", "OSError: no route (plugins/odd.py:40)"),
    ],
)
async def test_a_handler_that_fails_is_a_fault_of_its_own(
    shop: Workshop, line: str, last_raised: str
) -> None:
    """The answer tells nothing of the exception; whoever may see plugins reads it."""
    shop.save("odd.py", PLUGIN)
    await live(shop, "odd")

    refused = [(await shop.say(line))["error"] for _ in range(2)]

    assert {each["code"] for each in refused} == {"plugin_failed"}
    assert {each["status"] for each in refused} == {500}
    assert {*refused[0]["fix"]} == {"plugin show odd"}
    assert "secret" not in str(refused)
    stand = await shop.plugin("odd")
    assert (stand["state"], stand["raised"]) == ("live", 2)
    assert stand["last_raised"] == last_raised
    assert (await shop.say('task create "Still here"'))["status"] == "ok"


async def test_slow_reads_keep_nobody_else_waiting(shop: Workshop) -> None:
    """The next read of that plugin is refused; everybody else is answered."""
    shop.save("odd.py", PLUGIN)
    shop.save("nap.py", NAP.format(folder=str(shop.folder)))
    await live(shop, "odd")
    await live(shop, "nap")
    naps = [asyncio.create_task(shop.say("nap read")) for _ in range(2)]
    while len(list(shop.folder.glob("*.napping"))) < 2:
        await shop.say("whoami")

    ready = await shop.get("/readyz")
    assert ready.status_code == 200, ready.text
    first, refused = [(await shop.say("nap read"))["error"] for _ in range(2)]
    assert (first["code"], refused["code"]) == ("unavailable", "unavailable")
    assert refused["detail"].startswith("plugin nap is busy with nap read")

    (shop.folder / "wake").touch()
    assert {(await each)["summary"] for each in naps} == {"awake"}
    assert (await shop.plugin("nap"))["slow"] >= 2
    assert "nap read took" in (await shop.plugin("nap"))["last_slow"]


async def test_an_async_handler_that_blocks_leaves_the_doors_open(
    shop: Workshop,
) -> None:
    shop.save("nap.py", NAP.format(folder=str(shop.folder)))
    await live(shop, "nap")
    napping = asyncio.create_task(shop.say("nap outside"))
    while not list(shop.folder.glob("*.napping")):
        await shop.say("whoami")

    assert (await shop.say('task create "Still here"'))["status"] == "ok"

    (shop.folder / "wake").touch()
    assert (await napping)["summary"] == "awake"


async def test_what_changes_after_it_was_proposed_is_asked_for_again(
    shop: Workshop,
) -> None:
    """Nobody agreed to the new code; and what is gone is named."""
    shop.save("wipe.py", WIPE)
    await live(shop, "wipe")
    first = (await shop.plugin("wipe"))["loaded_at"]
    old, other = [(await shop.say("wipe all"))["data"]["token"] for _ in range(2)]

    shop.save("wipe.py", WIPE.replace("wiped", "wiped twice"))
    while (await shop.plugin("wipe"))["loaded_at"] == first:
        await shop.get("/healthz")
    changed = (await shop.say(f"confirm {old}"))["error"]

    assert changed["code"] == "conflict"
    assert "has changed since; ask again" in changed["detail"]
    assert changed["fix"] == ["wipe all"]
    anew = (await shop.say("wipe all"))["data"]["token"]
    assert (await shop.say(f"confirm {anew}"))["summary"] == "wiped twice"

    shop.delete("wipe.py")
    await gone(shop, "wipe")
    lost = (await shop.say(f"confirm {other}"))["error"]

    assert "was made for `wipe all`, and there is no such command" in lost["detail"]


async def test_a_route_of_a_plugin_that_failed_says_why(shop: Workshop) -> None:
    shop.save("odd.py", PLUGIN)
    await live(shop, "odd")
    shop.save("odd.py", "import nowhere_at_all")
    await disabled(shop, "odd")

    refused = await shop.http.post("/v1/odd")

    assert (refused.status_code, refused.json()["code"]) == (409, "command_disabled")
    assert refused.json()["fix"] == ["plugin show odd"]
    assert "plugin odd failed: ModuleNotFoundError" in refused.json()["detail"]
    assert (await shop.get("/v1/odd")).status_code == 404


async def test_an_asynchronous_handler_answers_when_it_is_done(shop: Workshop) -> None:
    shop.save("odd.py", PLUGIN)
    await live(shop, "odd")

    assert (await shop.say("odd wait 0.01"))["data"] == {"waited": 0.01}


async def test_a_command_that_runs_keeps_its_function(shop: Workshop) -> None:
    """Its plugin may be deleted meanwhile; the answer still comes."""
    shop.save("odd.py", PLUGIN)
    await live(shop, "odd")
    running = asyncio.create_task(shop.say("odd wait 3"))
    await shop.say("odd wait")

    shop.delete("odd.py")
    await gone(shop, "odd")

    assert not running.done()
    assert (await running)["data"] == {"waited": 3.0}
