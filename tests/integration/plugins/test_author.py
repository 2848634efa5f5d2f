"""An author's own project: pytest as they run it, and a plugin that is five lines."""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

HELLO = '''\
from commands import command

@command("hello say", scope="hello:read", examples=["hello say Ann"])
def hello_say(ctx, name: str = "world"):
    """Say hello."""
    return f"Hello, {name}!"
'''
TEST_HELLO = """\
async def test_hello(bot):
    assert (await bot.send("hello say Ann")).summary == "Hello, Ann!"
"""
PROJECT = {"hello.py": HELLO, "test_hello.py": TEST_HELLO}


def run_by_author(folder: Path, files: Mapping[str, str], *options: str) -> str:
    """Write a project, run its tests as its author would, and give what was printed."""
    for name, text in files.items():
        (folder / name).write_text(text)
    pytest_ = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
    ]
    done = subprocess.run(
        [*pytest_, *options],
        cwd=folder,
        env={"HOME": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-p", "no:asyncio", "-p", "no:anyio", "-W", "error"), id="alone"),
        pytest.param(("-o", "asyncio_mode=auto"), id="asyncio"),
    ],
)
def test_five_lines_pass_on_five_channels(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Whatever else runs coroutines there, and without a setting of the author's."""
    told = run_by_author(tmp_path, PROJECT, "-v", *options)

    passed = re.findall(r"test_hello\[(\w+)\] PASSED", told)
    assert passed == ["slack", "email", "webhook", "websocket", "rest"], told


def test_the_page_says_what_is_so(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/test-a-plugin.md").read_text()
    command, test, more = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    files = {"hello.py": command, "test_hello.py": f"import pytest\n{test}\n{more}"}

    told = run_by_author(tmp_path, files)

    assert "17 passed" in told, told


def test_plugin_that_is_disabled_fails_its_own_tests_with_the_reason(
    tmp_path: Path,
) -> None:
    broken = {
        "oops.py": "from commands import nothing_of_the_kind\n",
        "test_oops.py": TEST_HELLO,
    }

    told = run_by_author(tmp_path, PROJECT | broken, "-k", "rest")

    assert "1 passed, 8 deselected, 1 error" in told, told
    assert "PluginDisabled" in told
    assert "nothing_of_the_kind" in told
    assert "oops.py" in told


def test_bot_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """Many projects have a fixture of that name; theirs goes first."""
    theirs = """\
import pytest

@pytest.fixture
def bot():
    return "theirs"

def test_it(bot):
    assert bot == "theirs"
"""

    told = run_by_author(tmp_path, {"test_theirs.py": theirs}, "--strict-markers")

    assert "1 passed" in told, told


def test_who_does_not_ask_for_the_bot_loads_nothing_of_it() -> None:
    code = (
        "import sys, gateway.testing.plugin\n"
        "ours = ('channels', 'commands', 'core', 'gateway.', 'httpx2', 'aiohttp')\n"
        "print(*sorted(each for each in sys.modules if each.startswith(ours)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == ["gateway.testing", "gateway.testing.plugin"]


def test_pytest_finds_the_fixture_by_itself() -> None:
    found = {each.value for each in entry_points(group="pytest11")}

    assert "gateway.testing.plugin" in found
