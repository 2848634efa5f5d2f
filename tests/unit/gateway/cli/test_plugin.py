"""`ops plugin new` and `ops plugin test`: what is written is green as it stands."""

from pathlib import Path

import pytest

from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugins folder of this machine, not made yet."""
    monkeypatch.setenv("OPSWIRE_PLUGINS_FOLDER", str(tmp_path / "plugins"))
    return tmp_path / "plugins"


def test_a_new_plugin_and_its_test_are_green(ops: Console, folder: Path) -> None:
    """The test runs on all five channels, without anything else being set up."""
    assert ops.run("plugin", "new", "hello") == 0
    assert ops.err == "try: ops plugin test hello\n"

    assert ops.run("plugin", "test", "hello") == 0, ops.out
    assert "5 passed" in ops.out


def test_what_is_written_is_what_the_manual_shows(ops: Console, folder: Path) -> None:
    assert ops.run("plugin", "new", "hello_2") == 0

    assert '@command("hello-2 say", scope="hello_2:read"' in (
        folder / "hello_2.py"
    ).read_text("utf-8")
    assert (folder / "test_hello_2.py").read_text("utf-8") == (
        "async def test_hello_2(bot):\n"
        '    assert (await bot.send("hello-2 say Ann")).summary == "Hello, Ann!"\n'
    )


@pytest.mark.parametrize("there", ["hello.py", "test_hello.py", "hello"])
def test_nothing_is_overwritten(ops: Console, folder: Path, there: str) -> None:
    folder.mkdir()
    (folder / there).write_text("mine")

    assert ops.run("plugin", "new", "hello") == 1

    assert f"{folder / there} exists already" in ops.err
    assert [each.name for each in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"


@pytest.mark.parametrize("name", ["Hello", "../hello", "1hello", "hello-world", ""])
def test_a_name_that_is_none_is_refused(ops: Console, folder: Path, name: str) -> None:
    assert ops.run("plugin", "new", name) == 2

    assert "is no name of a plugin" in ops.err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("serve", "is a verb of this program: `ops serve` would never ask"),
        ("login", "is a verb of this program"),
        ("show", "begins commands of Opswire already"),
        ("class", "is a word of Python"),
        ("plan", "has a meaning of its own"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(
    ops: Console, folder: Path, name: str, why: str
) -> None:
    assert ops.run("plugin", "new", name) == 2

    assert why in ops.err
    assert f"ops plugin new my_{name}" in ops.err
    assert not folder.exists()


def test_a_noun_of_opswire_is_refused(ops: Console, folder: Path) -> None:
    assert ops.run("plugin", "new", "task") == 2

    assert "'task' begins commands of Opswire already" in ops.err
    assert "ops plugin new my_task" in ops.err


def test_a_folder_that_cannot_be_written_is_told_of(ops: Console, folder: Path) -> None:
    folder.write_text("a file")

    assert ops.run("plugin", "new", "hello") == 1

    assert "cannot be written" in ops.err
    assert "OPSWIRE_PLUGINS_FOLDER" in ops.err


def test_a_red_test_is_a_failure_and_is_shown(ops: Console, folder: Path) -> None:
    folder.mkdir()
    (folder / "test_sum.py").write_text("def test_sum():\n    assert 1 + 1 == 3\n")

    assert ops.run("plugin", "test") == 1

    assert "assert (1 + 1) == 3" in ops.out
    assert "1 failed" in ops.out


def test_tests_inside_a_package_are_found(ops: Console, folder: Path) -> None:
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "test_sum.py").write_text("def test_sum():\n    assert 2 > 1\n")

    assert ops.run("plugin", "test", "hello") == 0
    assert "1 passed" in ops.out


def test_without_a_test_there_is_nothing_to_run(ops: Console, folder: Path) -> None:
    assert ops.run("plugin", "test", "hello") == 3

    assert "ops plugin new hello" in ops.err


def test_looking_at_plugins_is_the_gateways(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply("1 plugin"))

    assert ops.run("plugin", "list") == 0

    assert stub.requests[0].line == "plugin list"


def test_help_names_both_verbs(ops: Console) -> None:
    assert ops.run("plugin", "--help") == 0
