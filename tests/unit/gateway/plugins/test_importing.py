"""Files become commands, and nothing of what fails stays behind."""

import sys
from pathlib import Path

import pytest

from commands.registry import Command
from gateway.plugins.folder import scan
from gateway.plugins.importing import Imported, forget, import_plugin
from gateway.plugins.model import PluginFault
from tests.unit.gateway.plugins.conftest import Write, hello


def fine(_: Command) -> None:
    """Find nothing wrong."""


def imported(folder: Path, name: str) -> Imported:
    return import_plugin(scan(folder)[name], fine)


def names(of: Imported) -> list[str]:
    return [each.name for each in of.commands]


def loaded() -> set[str]:
    return {each for each in sys.modules if each.startswith("opswire_plugin_")}


def test_a_file_offers_the_commands_it_declares(folder: Path, write: Write) -> None:
    write("hello.py", hello())

    assert names(imported(folder, "hello")) == ["hello say"]


def test_a_command_of_two_names_is_one(folder: Path, write: Write) -> None:
    write("hello.py", f"{hello()}\nagain = say\n")

    assert names(imported(folder, "hello")) == ["hello say"]


def test_an_imported_command_is_not_offered_again(folder: Path, write: Write) -> None:
    write("hello.py", f"from commands.builtins import whoami\n{hello()}")

    assert names(imported(folder, "hello")) == ["hello say"]


def test_an_explicit_list_is_all_there_is(folder: Path, write: Write) -> None:
    write("hello.py", f"{hello()}\nfirst = say\n{hello('box')}\nCOMMANDS = [say]\n")

    assert names(imported(folder, "hello")) == ["box say"]


def test_a_package_has_its_modules(folder: Path, write: Write) -> None:
    write("greeting/__init__.py", "from .words import say\nfrom .deep import more\n")
    write("greeting/words.py", hello("greeting"))
    write("greeting/deep/__init__.py", "more = 1\n")

    before = loaded()

    found = imported(folder, "greeting")

    assert names(found) == ["greeting say"]
    assert f"{found.module}.words" in sys.modules
    forget(found.module)
    assert loaded() == before


def test_what_was_written_within_a_second_is_read(folder: Path, write: Write) -> None:
    """Bytecode is told apart by second and size, and would be the old one here."""
    said = []
    for word in ("Hello", "Howdy"):
        write("hello.py", hello(said=word))
        write("greeting/__init__.py", "from . import words\nsay = words.say\n")
        write("greeting/words.py", hello("greeting", word))
        for name in ("hello", "greeting"):
            [command] = imported(folder, name).commands
            said.append(command.handler(None, name="Ann"))

    assert said == ["Hello, Ann!", "Hello, Ann!", "Howdy, Ann!", "Howdy, Ann!"]
    assert list(folder.rglob("*.pyc")) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 +", SyntaxError),
        ("x", NameError),
        ("import nowhere_at_all", ModuleNotFoundError),
        ("import sys; sys.exit(3)", SystemExit),
        ("def f(): return f()\nf()", RecursionError),
        ("\0", SyntaxError),
        ("# \udcff".encode("utf-8", "surrogateescape").decode("latin-1"), PluginFault),
        ("a = 1", PluginFault),
        ("COMMANDS = []", PluginFault),
        ("COMMANDS = 'hello'", PluginFault),
        ("COMMANDS = ['hello']", PluginFault),
        ("COMMANDS = 7", PluginFault),
    ],
)
def test_what_fails_leaves_nothing_behind(
    folder: Path, write: Write, text: str, kind: type[BaseException]
) -> None:
    write("hello.py", text)
    before, finders = loaded(), list(sys.meta_path)

    with pytest.raises(kind):
        imported(folder, "hello")

    assert loaded() == before
    assert sys.meta_path == finders


def test_what_a_check_refuses_is_unloaded(folder: Path, write: Write) -> None:
    write("hello.py", hello())
    before = loaded()

    def refuse(command: Command) -> None:
        raise PluginFault(command.name)

    with pytest.raises(PluginFault):
        import_plugin(scan(folder)["hello"], refuse)

    assert loaded() == before
