"""Whatever is saved, broken and deleted, in whichever order: what lies there decides."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.names import index_of
from commands.registry import Registry
from gateway.every_command import described_commands
from gateway.plugins.plugins import Plugins
from gateway.plugins.shelf import Shelf
from gateway.plugins.stock import Stock
from tests.conftest import FakeClock
from tests.unit.gateway.plugins.conftest import hello

NAMES = ("ant", "bee", "cat")
OWN = tuple(described_commands())
steps = st.lists(
    st.tuples(
        st.sampled_from(["save", "change", "break", "delete", "look"]),
        st.sampled_from(NAMES),
    ),
    max_size=12,
)


def act(folder: Path, step: str, name: str) -> None:
    """Do what an author does with a file."""
    path = folder / f"{name}.py"
    match step:
        case "save":
            path.write_text(hello(name))
        case "change":
            path.write_text(hello(f"{name}-two"))
        case "break":
            path.write_text("x")
        case "delete":
            path.unlink(missing_ok=True)


def expected(folder: Path) -> set[str]:
    """Say which commands the files offer that are there now."""
    texts = [path.read_text() for path in folder.glob("*.py")]
    nouns = [f"{name}{two}" for name in NAMES for two in ("", "-two")]
    return {f"{noun} say" for noun in nouns if hello(noun) in texts}


@given(steps)
@settings(max_examples=30, deadline=None)
def test_what_lies_there_is_what_is_live(acts: Sequence[tuple[str, str]]) -> None:
    """And the index is that of a registry which was built of it at once."""

    async def play(folder: Path) -> tuple[Registry, set[str]]:
        registry = Registry.of(OWN)
        stock = Stock(registry, Shelf())
        plugins = Plugins(stock, folder=folder, clock=FakeClock())
        await plugins.start()
        for step, name in acts:
            act(folder, step, name)
            if step == "look":
                await plugins.look()
        await plugins.look()
        await plugins.look()
        return registry, expected(folder)

    with tempfile.TemporaryDirectory() as folder:
        registry, wanted = asyncio.run(play(Path(folder)))

    anew = Registry.of(registry)
    assert set(registry.names) - {each.name for each in OWN} == wanted
    assert index_of(registry).phrases.keys() == index_of(anew).phrases.keys()
    assert index_of(registry).starts == index_of(anew).starts
