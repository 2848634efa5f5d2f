"""What counts as a plugin, and when it counts as another one."""

import os
from pathlib import Path

import pytest

from gateway.plugins.folder import LIMIT_BYTES, scan
from tests.unit.gateway.plugins.conftest import Write


def test_no_folder_is_no_plugin(tmp_path: Path) -> None:
    assert scan(tmp_path / "nowhere") == {}


def test_files_and_packages_are_found_by_their_names(
    folder: Path, write: Write
) -> None:
    write("hello.py", "")
    write("greeting/__init__.py", "")
    write("notes.txt", "")
    (folder / "images").mkdir()

    found = scan(folder)

    assert {name: each.place.name for name, each in found.items()} == {
        "greeting": "greeting",
        "hello": "hello.py",
    }
    assert not any(each.fault for each in found.values())


@pytest.mark.parametrize(
    "name", ["test_hello.py", "_shared.py", ".hello.py", "conftest.py", ".#hello.py"]
)
def test_tests_drafts_and_locks_are_no_plugins(
    folder: Path, write: Write, name: str
) -> None:
    write(name, "")

    assert scan(folder) == {}


def test_a_written_file_is_another_source(folder: Path, write: Write) -> None:
    write("hello.py", "a = 1\n")
    before = scan(folder)

    write("hello.py", "a = 12\n")

    assert scan(folder) != before


def test_a_file_put_in_the_place_of_another_is_another_source(
    folder: Path, write: Write
) -> None:
    """An editor may keep size and time; then the file itself is another one."""
    old = write("hello.py", "a = 1\n")
    before, times = scan(folder), os.stat(old).st_mtime_ns
    new = write("hello.tmp", "a = 2\n")
    os.utime(new, ns=(times, times))

    new.rename(old)

    assert scan(folder) != before


def test_a_module_inside_a_package_changes_the_package(
    folder: Path, write: Write
) -> None:
    write("greeting/__init__.py", "")
    before = scan(folder)

    write("greeting/words.py", "a = 1")

    assert scan(folder) != before


def test_a_file_that_is_too_large_is_not_opened(folder: Path, write: Write) -> None:
    write("huge.py", "#" * (LIMIT_BYTES + 1))

    fault = scan(folder)["huge"].fault

    assert (
        fault == f"it has {LIMIT_BYTES + 1} bytes, and at most {LIMIT_BYTES} are read"
    )


def test_a_link_in_a_circle_is_told_of(folder: Path) -> None:
    (folder / "loop.py").symlink_to(folder / "loop.py")

    assert "symbolic links" in scan(folder)["loop"].fault


def test_a_link_to_nothing_is_told_of(folder: Path) -> None:
    (folder / "lost.py").symlink_to(folder / "nowhere.py")

    assert scan(folder)["lost"].fault == "No such file or directory"


def test_a_package_that_links_to_itself_ends(folder: Path, write: Write) -> None:
    write("greeting/__init__.py", "")
    (folder / "greeting" / "again").symlink_to(folder / "greeting")

    assert scan(folder)["greeting"].fault == ""


def test_a_pipe_is_no_file(folder: Path) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(folder / "pipe.py")

    assert scan(folder)["pipe"].fault == "it is no file"


def test_a_folder_called_like_a_file_is_no_file(folder: Path) -> None:
    (folder / "hello.py").mkdir()

    assert scan(folder)["hello"].fault == "it is no file"


@pytest.mark.parametrize("name", ["Hello.py", "my-hello.py", "1hello.py", "größe.py"])
def test_a_name_that_nobody_could_type_is_told_of(
    folder: Path, write: Write, name: str
) -> None:
    write(name, "")

    assert "name it" in scan(folder)[name.removesuffix(".py")].fault


def test_a_file_and_a_package_of_one_name_are_both_named(
    folder: Path, write: Write
) -> None:
    write("hello.py", "")
    write("hello/__init__.py", "")

    assert scan(folder)["hello"].fault == "hello and hello.py have one name"
