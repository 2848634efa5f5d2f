"""A folder and its registry in step: what is live, what is disabled, and what follows."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from commands import help as ladder
from commands.names import index_of
from commands.plugins import PluginStanding, PluginState
from commands.registry import Registry
from core.kernel.principal import Principal
from core.kernel.problems import PluginFailed
from gateway.logs import PASSED_ON
from gateway.plugins.calls import Calls, Manner
from gateway.plugins.plugins import Plugins
from gateway.plugins.shelf import Shelf
from gateway.plugins.stock import Stock
from tests.conftest import FakeClock
from tests.unit.gateway.plugins.conftest import Write, hello


async def settle(plugins: Plugins) -> None:
    """Look as often as a change needs to come to rest."""
    await plugins.look()
    await plugins.look()


def stand(plugins: Plugins, name: str = "hello") -> PluginStanding:
    return next(each for each in plugins.stock.shelf.standings() if each.name == name)


def live(plugins: Plugins) -> list[str]:
    return [each.name for each in plugins.stock.live()]


def why(registry: Registry, begun: str) -> str:
    return registry.outages[begun].why


async def test_what_lies_there_at_the_start_is_live_at_once(
    plugins: Plugins, registry: Registry, write: Write, clock: FakeClock
) -> None:
    write("hello.py", hello())

    await plugins.start()

    assert registry.find("hello say")
    assert stand(plugins) == PluginStanding(
        name="hello",
        kind=stand(plugins).kind,
        place="plugins/hello.py",
        commands=["hello say"],
        channels=[],
        loaded_at=clock.now(),
    )


async def test_without_a_folder_nothing_is_touched(
    plugins: Plugins, registry: Registry, folder: Path
) -> None:
    os.rmdir(folder)
    before = registry.names

    await plugins.start()
    await settle(plugins)

    assert registry.names is before


async def test_a_folder_that_cannot_be_listed_keeps_no_gateway_from_starting(
    plugins: Plugins, registry: Registry, folder: Path, write: Write
) -> None:
    os.rename(write("plugins.txt", "no folder"), folder.with_suffix(".txt"))
    os.rmdir(folder)
    os.rename(folder.with_suffix(".txt"), folder)
    before = registry.names

    await plugins.start()

    assert registry.names is before
    with pytest.raises(NotADirectoryError):
        await plugins.look()


async def test_a_saved_file_is_live_and_a_deleted_one_is_gone(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    own = len(registry)
    path = write("hello.py", hello())
    await settle(plugins)
    assert registry.find("hello say")

    path.unlink()
    await settle(plugins)

    assert len(registry) == own
    assert plugins.stock.shelf.standings() == []
    assert registry.outages == {}


async def test_a_new_version_takes_the_place_of_the_old_one(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    write("hello.py", hello())
    await settle(plugins)
    old = registry.names["hello say"]

    write("hello.py", hello("box", "Howdy"))
    await settle(plugins)

    assert not registry.find("hello say")
    assert registry.names["box say"].handler(None).summary == "Howdy, world!"
    # What still runs keeps its function.
    assert old.handler(None).summary == "Hello, world!"


async def test_a_file_is_not_read_while_it_is_written(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    """Half a file is seen, but never read; nor is it taken for a failure."""
    write("hello.py", hello())
    await settle(plugins)

    for size in range(10, 60, 10):
        write("hello.py", hello(said="Howdy")[:size])
        await plugins.look()
        assert registry.names["hello say"].handler(None).summary == "Hello, world!"
    write("hello.py", hello(said="Howdy"))
    await settle(plugins)

    assert registry.names["hello say"].handler(None).summary == "Howdy, world!"


async def test_a_file_that_is_replaced_is_never_taken_for_deleted(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    path = write("hello.py", hello())
    await settle(plugins)

    path.unlink()
    await plugins.look()
    assert registry.find("hello say")
    write("hello.tmp", hello(said="Howdy")).rename(path)
    await settle(plugins)

    assert registry.names["hello say"].handler(None).summary == "Howdy, world!"


async def test_after_a_hundred_saves_the_last_one_is_live(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    for number in range(100):
        write("hello.py", hello(said=f"Hello {number}"))
        if number % 7 == 0:
            await plugins.look()

    await settle(plugins)

    assert registry.names["hello say"].handler(None).summary == "Hello 99, world!"


# ── what fails ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x", "NameError: name 'x' is not defined (plugins/hello.py:1)"),
        ("1 +", "SyntaxError: invalid syntax (plugins/hello.py:1)"),
        ("import sys\nsys.exit('bye')", "SystemExit: bye (plugins/hello.py:2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (plugins/hello.py:1)"),
        (
            "def f(): return f()\nf()",
            "RecursionError: maximum recursion depth exceeded (plugins/hello.py:1)",
        ),
        (
            "class Odd(BaseException): ...\nraise Odd('odd')",
            "Odd: odd (plugins/hello.py:2)",
        ),
        ("", "it declares no command; put @command above a function"),
        (
            hello().replace('"hello say"', '"task list"'),
            "'task list' of the plugin hello and 'task list' of Opswire are both called 'task list'",
        ),
        (
            hello().replace('scope="hello:read", ', ""),
            "'hello say': it has no scope; write scope=\"hello:read\"",
        ),
        (
            hello().replace('"""Say hello."""', ""),
            "TypeError: hello say: a command needs a docstring (plugins/hello.py:4)",
        ),
        (
            hello().replace("hello:read", 'hello:read", danger="deadly'),
            "ValueError: 'deadly' is not a valid Danger (plugins/hello.py:4)",
        ),
    ],
)
async def test_one_that_fails_is_disabled_and_nothing_else(
    plugins: Plugins, registry: Registry, write: Write, text: str, fault: str
) -> None:
    own = len(registry)
    write("hello.py", text)
    write("box.py", hello("box"))

    await plugins.start()

    assert stand(plugins).state is PluginState.DISABLED
    assert stand(plugins).fault == fault
    assert stand(plugins).commands == []
    assert live(plugins) == ["box"]
    assert len(registry) == own + 1


async def test_an_unreadable_file_is_told_of(plugins: Plugins, write: Write) -> None:
    path = write("hello.py", hello())
    path.unlink()
    # Nobody can read it from its start, the superuser included.
    path.symlink_to("/proc/self/mem")

    await plugins.start()

    assert "OSError" in stand(plugins).fault


async def test_a_new_version_that_fails_takes_its_commands_along(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    write("hello.py", hello())
    await settle(plugins)

    write("hello.py", "\nsecret = 'pw' + 1")
    await settle(plugins)

    assert not registry.find("hello say")
    told = "plugin hello failed: TypeError (plugins/hello.py:2)"
    assert why(registry, "hello say") == why(registry, "hello") == told
    assert registry.outages["hello say"].fix == "plugin show hello"


async def test_a_failed_plugin_takes_no_noun_from_others(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    """`task frob` is still answered with what it may have meant."""
    write("task.py", "x")
    write("hello_you.py", "x")

    await plugins.start()

    assert registry.outages.keys() == {"hello-you"}


async def test_help_on_a_disabled_plugin_says_why(
    plugins: Plugins, registry: Registry, write: Write, ann: Principal
) -> None:
    write("hello.py", "x")
    await plugins.start()

    helped = ladder.of_noun(registry, "Hello", ann)

    assert helped.summary == (
        "hello is disabled: plugin hello failed: NameError (plugins/hello.py:1)"
    )
    assert helped.data["items"] == []


async def test_a_second_failure_still_knows_what_there_was(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    write("hello.py", hello("box"))
    await settle(plugins)
    for text in ("x", "y + 1"):
        write("hello.py", text)
        await settle(plugins)

    assert "box say" in registry.outages

    write("hello.py", hello("box"))
    await settle(plugins)

    assert registry.find("box say")
    assert registry.outages == {}


async def test_a_failed_file_is_not_read_again_until_it_changes(
    plugins: Plugins, write: Write, clock: FakeClock, folder: Path
) -> None:
    write(
        "hello.py",
        "from pathlib import Path\n"
        f"with Path({str(folder / 'count')!r}).open('a') as out: out.write('x')\n"
        "raise ValueError\n",
    )
    await plugins.start()

    for _ in range(5):
        await plugins.look()

    assert (folder / "count").read_text() == "x"


async def test_of_two_that_clash_the_first_stays_and_the_other_waits(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    write("zoo.py", hello("box", "Zoo"))
    await settle(plugins)
    write("box.py", hello("box", "Box"))
    await settle(plugins)

    assert live(plugins) == ["zoo"]
    assert stand(plugins, "box").fault == (
        "'box say' of the plugin box and 'box say' of the plugin zoo are both called "
        "'box say'"
    )
    assert registry.names["box say"].handler(None).summary == "Zoo, world!"

    write("zoo.py", hello("box", "New zoo"))
    await settle(plugins)

    assert live(plugins) == ["zoo"]
    assert registry.names["box say"].handler(None).summary == "New zoo, world!"

    write("zoo.py", hello("zoo"))
    await settle(plugins)

    assert live(plugins) == ["box", "zoo"]
    assert registry.names["box say"].handler(None).summary == "Box, world!"


async def test_two_new_ones_that_clash_are_decided_by_their_names(
    plugins: Plugins, write: Write
) -> None:
    write("zoo.py", hello("box"))
    write("ant.py", hello("box"))

    await plugins.start()

    assert live(plugins) == ["ant"]


async def test_one_that_hangs_keeps_no_other_waiting(
    folder: Path, registry: Registry, write: Write, clock: FakeClock
) -> None:
    """It is told of when its deadline passes, and forgotten when its file goes."""
    plugins = Plugins(
        Stock(registry, Shelf()),
        folder=folder,
        clock=clock,
        patience=timedelta(milliseconds=200),
    )
    hangs = "import time\nwhile True: time.sleep(0.05)\n"
    path = write("loopy.py", hangs)
    await settle(plugins)
    write("hello.py", hello())
    for _ in range(50):
        await plugins.look()
        if registry.find("hello say"):
            break

    assert [each.name for each in plugins.stock.shelf.standings()] == ["hello"]

    path.unlink()
    await settle(plugins)

    assert live(plugins) == ["hello"]


# ── at work ───────────────────────────────────────────────────────────────────
async def test_what_handlers_raise_is_counted_until_the_plugin_is_read_anew(
    plugins: Plugins, registry: Registry, write: Write, clock: FakeClock
) -> None:
    write("hello.py", hello().replace("return f", "name / 0\n    return f"))
    await settle(plugins)
    for _ in range(3):
        with pytest.raises(PluginFailed):
            registry.names["hello say"].handler(None, name="Ann")

    assert stand(plugins).raised == 3
    assert stand(plugins).last_raised == (
        "TypeError: unsupported operand type(s) for /: 'str' and 'int' "
        "(plugins/hello.py:7)"
    )
    assert stand(plugins).state is PluginState.LIVE

    write("box.py", hello("box"))
    await settle(plugins)
    assert stand(plugins).raised == 3

    clock.advance(clock.now() - clock.now().replace(hour=8))
    write("hello.py", hello())
    await settle(plugins)
    assert stand(plugins).raised == 0


async def test_readiness_names_the_disabled_and_stays_green(
    plugins: Plugins, write: Write
) -> None:
    write("hello.py", "x")
    write("box.py", hello("box"))
    await plugins.start()

    check = await plugins.check()

    assert check.is_ok
    assert check.detail == "1 live; disabled: hello"


def test_a_folder_can_be_read_in_one_go(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    path = write("hello.py", hello())
    plugins.read_folder()
    assert registry.find("hello say")

    path.unlink()
    plugins.read_folder()

    assert not registry.find("hello say")


async def test_what_every_line_needs_is_made_before_the_swap(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    """However many commands there are, no line waits for an index to be built."""
    write(
        "many.py",
        "from commands import command\n"
        "def say(ctx, name: str = 'x'):\n    'Say.'\n    return name\n"
        "COMMANDS = [command(f'many{n} say', scope='many:read', "
        "http=f'GET /v1/many{n}')(say) for n in range(300)]\n",
    )
    await plugins.start()
    composed = plugins.stock.compose()

    plugins.stock.adopt(composed)

    assert registry.find("many299 say")
    assert index_of(registry) is index_of(composed.registry)


async def test_a_changed_code_is_another_edition_and_the_same_again_is_not(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    editions = []
    for said in ("Hello", "Howdy", "Hello"):
        write("hello.py", hello(said=said))
        await settle(plugins)
        editions.append(registry.names["hello say"].edition)

    assert editions[0] == editions[2] != editions[1]


async def test_what_ops_does_itself_says_how_to_ask_from_a_shell(
    plugins: Plugins, write: Write
) -> None:
    write("login.py", hello("login"))
    write("hello.py", hello())

    await plugins.start()

    assert stand(plugins).note == ""
    assert stand(plugins, "login").note == (
        "`ops login` is a verb of this machine; from a shell: echo 'login …' | ops -"
    )


def test_what_was_slow_is_counted_and_logged_once_a_minute(
    plugins: Plugins, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("hello.py", hello())
    plugins.read_folder()
    for seconds in (2.0, 6.0):
        plugins.stock.shelf.slow("file:hello", "hello say", seconds)

    assert (stand(plugins).slow, stand(plugins).last_slow) == (
        2,
        "hello say took 6.0 s",
    )
    slow = [each for each in caplog.records if each.msg == "plugin.slow"]
    assert [each.__dict__["plugin"] for each in slow] == ["hello"]
    assert {"plugin", "command", "seconds"} <= {*PASSED_ON}


async def test_what_does_not_return_disables_its_plugin_and_is_logged_once(
    folder: Path,
    registry: Registry,
    write: Write,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seconds = [0.0]
    calls = Calls(lambda: seconds[0])
    plugins = Plugins(Stock(registry, Shelf(calls)), folder=folder, clock=clock)
    write("hello.py", hello())
    plugins.read_folder()
    call = calls.begin(
        "file:hello", plugin="hello", command="hello say", manner=Manner.WRITE
    )
    seconds[0] = 12.0
    await settle(plugins)

    assert stand(plugins).fault == "disabled until hello say, at work for 12 s, ends"
    assert (await plugins.check()).detail == "0 live; disabled: hello"
    stuck = [each for each in caplog.records if each.msg == "plugin.stuck"]
    assert [each.__dict__["command"] for each in stuck] == ["hello say"]

    calls.end(call)

    assert stand(plugins).state is PluginState.LIVE
