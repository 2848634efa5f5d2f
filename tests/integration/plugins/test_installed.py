"""Plugins that come with distributions: what they bring, and what of it fails alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.gateway import AUTHORIZED, GatewayProcess
from tests.integration.plugins.conftest import HELLO

COMMAND = HELLO.replace("hello", "{noun}").replace('f"Hello, {name}!"', "name")

CODES: Mapping[str, str] = {
    "one": "",
    "several": "COMMANDS = [several_say]\n",
    "whole": "from gateway.plugins import Plugin\nit = Plugin(commands=[whole_say])\n",
    "door": """
from channels.base import ChannelSpec, Capabilities
from gateway.doors.door import Door
from gateway.plugins import Plugin
SPEC = ChannelSpec(name="bell", capabilities=Capabilities())
def build(hall):
    return Door(spec=SPEC, wire=None, courier=None, healths=lambda: ())
it = Plugin(commands=[door_say], channels={"bell": build, "unset": lambda hall: None})
""",
    "raises": "\nraise ValueError('no')\n",
    "leaves": "import sys\nsys.exit(4)\n",
    "number": "it = 7\n",
    "clash": """
from commands import command
@command("task list", scope="tasks:read")
def it(ctx):
    "List nothing."
""",
    "slack2": """
from gateway.plugins import Plugin
it = Plugin(commands=[slack2_say], channels={"slack": lambda hall: None})
""",
    "fallen": """
from gateway.plugins import Plugin
def build(hall):
    raise OSError("no line")
it = Plugin(commands=[fallen_say], channels={"fallen": build})
""",
    "mistaken": """
from gateway.plugins import Plugin
it = Plugin(channels={"mistaken": lambda hall: "a door"})
""",
    "twice": "",
    "twice_more": "",
    "uncallable": """
from gateway.plugins import Plugin
it = Plugin(channels={"uncallable": "build"})
""",
}
NAMED = {
    "one": "one_say",
    "several": "COMMANDS",
    "twice": "twice_say",
    "twice_more": "twice_more_say",
}
LIVE = {
    "one": ["one say"],
    "several": ["several say"],
    "whole": ["whole say"],
    "door": ["door say"],
}
FAULTS = {
    "raises": "ValueError: no (dist_raises.py:11)",
    "leaves": "SystemExit: 4 (dist_leaves.py:11)",
    "number": "dist_number:it is a int, not a list",
    "lost": "ModuleNotFoundError: No module named 'dist_lost'",
    "clash": "'task list' of the plugin clash and 'task list' of Opswire are both called 'task list'",
    "slack2": "there is a channel 'slack' already",
    "fallen": "OSError: no line (dist_fallen.py:13)",
    "mistaken": "the channel 'mistaken' built 'a door', which is no Door",
    "twice": "two distributions bring a plugin 'twice'",
    "uncallable": "the channel 'uncallable' is 'build', which builds no door",
}


def install(site: Path, name: str, code: str) -> None:
    """Write a distribution as pip does, with one entry point."""
    (site / f"dist_{name}.py").write_text(COMMAND.replace("{noun}", name) + code)
    _describe(site, name)


def _describe(site: Path, name: str) -> None:
    info = site / f"dist_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        f"[opswire.plugins]\n"
        f"{name.partition('_')[0]} = dist_{name}:{NAMED.get(name, 'it')}\n"
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway where all of them are installed, and one lies in the folder too."""
    home = tmp_path_factory.mktemp("installed")
    site, folder = home / "site", home / "plugins"
    site.mkdir()
    folder.mkdir()
    for name, code in CODES.items():
        install(site, name, code)
    _describe(site, "lost")
    (folder / "one.py").write_text(HELLO.replace("hello", "one"))
    process = GatewayProcess(home / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(site))
        patch.setenv("OPSWIRE_PLUGINS_FOLDER", str(folder))
        process.start()
    yield process
    process.end()


@pytest.fixture(scope="module")
def stands(gateway: GatewayProcess) -> dict[str, dict[str, Any]]:
    """How each plugin stands; the one in the folder has another key."""
    answer = httpx2.get(f"{gateway.url}/v1/plugins", headers=AUTHORIZED)
    items: list[dict[str, Any]] = answer.json()["items"]
    return {f"{each['kind']}:{each['plugin']}": each for each in items}


@pytest.mark.parametrize("name", LIVE)
def test_what_is_installed_brings_its_commands(
    gateway: GatewayProcess, stands: Mapping[str, Mapping[str, Any]], name: str
) -> None:
    """An entry point names a command, several, or a Plugin."""
    answer = httpx2.post(
        f"{gateway.url}/v1/commands",
        json={"line": f"{name} say Ann"},
        headers=AUTHORIZED,
    )

    assert answer.json()["summary"] == "Ann"
    stand = stands[f"installed:{name}"]
    assert (stand["state"], stand["commands"]) == ("live", LIVE[name])
    assert stand["place"].startswith(f"dist_{name}:")


@pytest.mark.parametrize("name", FAULTS)
def test_what_fails_disables_its_own_plugin(
    gateway: GatewayProcess, stands: Mapping[str, Mapping[str, Any]], name: str
) -> None:
    stand = stands[f"installed:{name}"]

    assert (stand["state"], stand["commands"]) == ("disabled", [])
    assert stand["fault"] == FAULTS[name]


def test_channels_are_listed_with_their_plugin(
    stands: Mapping[str, Mapping[str, Any]],
) -> None:
    assert stands["installed:door"]["channels"] == ["bell", "unset"]


def test_a_file_that_clashes_with_what_is_installed_is_told_of(
    stands: Mapping[str, Mapping[str, Any]],
) -> None:
    assert stands["file:one"]["fault"] == (
        "'one say' of the plugin one and 'one say' of the plugin one are both "
        "called 'one say'"
    )


def test_the_gateway_is_ready(gateway: GatewayProcess) -> None:
    ready = httpx2.get(f"{gateway.url}/readyz")

    assert ready.status_code == 200
    assert ready.json()["checks"]["plugins"]["detail"].startswith("4 live; disabled: ")
