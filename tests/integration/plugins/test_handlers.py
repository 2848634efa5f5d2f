"""What handlers of plugins do at work: wait, fail, try to end us; we go on."""

import asyncio

import pytest

from tests.integration.plugins.conftest import Workshop, gone, live

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


@pytest.mark.parametrize(
    ("line", "last_raised"),
    [
        ("odd fail", "KeyError: 'secret' (plugins/odd.py:10)"),
        ("odd leave", "SystemExit: 1 (plugins/odd.py:16)"),
        ("odd write", "SystemExit: 1 (plugins/odd.py:22)"),
        ("odd nothing", "TypeError: a command cannot return NoneType"),
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

    assert {each["code"] for each in refused} == {"internal"}
    assert "secret" not in str(refused)
    stand = await shop.plugin("odd")
    assert (stand["state"], stand["raised"]) == ("live", 2)
    assert stand["last_raised"] == last_raised
    assert (await shop.say('task create "Still here"'))["status"] == "ok"


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
