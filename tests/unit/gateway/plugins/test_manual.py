"""What the page on plugins shows is what runs."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from commands.registry import Registry
from core.kernel.problems import InvalidArgument
from gateway.plugins.aside import DEADLINE
from gateway.plugins.checks import PATHS
from gateway.plugins.plugins import Plugins
from tests.unit.gateway.plugins.conftest import Write

PAGE = Path(__file__).parents[4] / "docs/how-to/write-a-plugin.md"


def blocks() -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


async def test_its_examples_are_commands(
    plugins: Plugins, registry: Registry, write: Write
) -> None:
    first, second, _ = blocks()
    write("hello.py", first)
    write("shout.py", second)

    await plugins.start()

    say, shout = registry.names["hello say"], registry.names["hello shout"]
    assert say.handler(None, name="Ann").summary == "Hello, Ann!"
    assert shout.handler(None, name="Ann").summary == "HELLO, ANN!"
    with pytest.raises(InvalidArgument):
        shout.handler(None, name="x" * 41)


def test_its_numbers_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")

    assert timedelta(seconds=10) == DEADLINE
    assert "within ten seconds" in text
    assert f"begins with `{PATHS}`" in text
