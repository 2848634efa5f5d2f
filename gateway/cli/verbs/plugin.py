"""`ops plugin new` and `ops plugin test`: write a plugin, and run its tests."""

import keyword
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click

from core.kernel.problems import AlreadyExists, InvalidArgument, NotFound, Unavailable
from gateway.cli.exits import Exit
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with
from gateway.every_command import described_commands
from gateway.plugins.checks import RESERVED
from gateway.plugins.folder import NAME
from gateway.verbs import VERBS

FIXTURES = "gateway.testing.plugin"

_NEEDED = ("pytest", "httpx2", "aioimaplib")
_COMMAND = '''"""Says hello; change it into what you need."""

from commands import command


@command("{noun} say", scope="{name}:read", examples=["{noun} say Ann"])
def {name}_say(ctx, name: str = "world"):
    """Say hello."""
    return f"Hello, {{name}}!"
'''
_TEST = """async def test_{name}(bot):
    assert (await bot.send("{noun} say Ann")).summary == "Hello, Ann!"
"""


@click.group()
def plugin() -> None:
    """Write plugins and run their tests; `ops plugin list` asks the gateway."""


@plugin.command()
@click.argument("name")
@click.pass_obj
def new(terminal: Terminal, name: str) -> Exit:
    """Write a plugin with one command, and a test of it, into the plugins folder."""
    require_name(name)
    folder = settings_with().plugins_folder
    noun = name.replace("_", "-")
    texts = {
        folder / f"{name}.py": _COMMAND.format(name=name, noun=noun),
        folder / f"test_{name}.py": _TEST.format(name=name, noun=noun),
    }
    for path in (folder / name, *texts):
        if path.exists():
            raise AlreadyExists(
                f"{path} exists already", fix=[f"ops plugin test {name}"]
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, "utf-8")
            terminal.print(f"written  {path}\n")
    except OSError as fault:
        raise Unavailable(
            f"{fault.filename} cannot be written: {fault.strerror}",
            fix=["set OPSWIRE_PLUGINS_FOLDER"],
        ) from fault
    terminal.say(f"try: ops plugin test {name}")
    return Exit.OK


@plugin.command()
@click.argument("name", required=False)
@click.pass_obj
def test(terminal: Terminal, name: str | None) -> Exit:
    """Run the tests of one plugin, or of all, with the fixture `bot`."""
    require_pytest()
    folder = settings_with().plugins_folder.absolute()
    done = subprocess.run(  # noqa: S603 - our own Python, no shell
        [*_pytest(), *map(str, tests_of(folder, name))],
        env={**os.environ, "OPSWIRE_PLUGINS_FOLDER": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    terminal.print(done.stdout)
    return Exit.OK if done.returncode == 0 else Exit.FAILED


def require_name(name: str) -> None:
    """Make sure that a plugin can have a name, and its command that noun.

    Raises: InvalidArgument.
    """
    if not NAME.fullmatch(name):
        raise InvalidArgument(
            f"{name[:40]!r} is no name of a plugin: small letters, digits and _",
            fix=["ops plugin new hello"],
        )
    if why := _taken_by(name):
        raise InvalidArgument(f"{name!r} {why}", fix=[f"ops plugin new my_{name}"])


def _taken_by(name: str) -> str:
    """Say who has a name already; "" for nobody."""
    noun = name.replace("_", "-")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "is a word of Python"
    if noun in VERBS:
        return f"is a verb of this program: `ops {noun}` would never ask the gateway"
    commands = described_commands()
    if noun in {word for each in commands for word in each.name.split()}:
        return "begins commands of Opswire already"
    return "has a meaning of its own" if noun in RESERVED else ""


def require_pytest() -> None:
    """Make sure that what tests stand on is installed.

    Raises: Unavailable naming what is missing.
    """
    missing = [each for each in _NEEDED if find_spec(each) is None]
    if missing:
        raise Unavailable(
            f"tests need {', '.join(missing)}",
            fix=["make setup", "pip install 'opswire[testing]'"],
        )


def tests_of(folder: Path, name: str | None) -> Sequence[Path]:
    """List the tests of one plugin, or of all.

    Raises: NotFound when there are none.
    """
    wanted = (
        [folder / f"test_{name}.py", *sorted((folder / name).glob("test_*.py"))]
        if name
        else sorted(folder.rglob("test_*.py"))
    )
    found = [each for each in wanted if each.is_file()]
    if not found:
        what = f"{folder / f'test_{name}.py'}" if name else f"a test in {folder}"
        raise NotFound(what, fix=[f"ops plugin new {name or 'hello'}"])
    return found


def _pytest() -> Sequence[str]:
    """Write how pytest is called; the fixture comes along where pip did not say so."""
    named = {each.value for each in entry_points(group="pytest11")}
    extra = () if FIXTURES in named else ("-p", FIXTURES)
    if find_spec("pytest_asyncio"):
        # It warns of a setting that only concerns fixtures which these tests lack.
        extra = (*extra, "-o", "asyncio_default_fixture_loop_scope=function")
    return (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *extra)
