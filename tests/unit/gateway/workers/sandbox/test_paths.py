"""Paths stay inside of the folder, whatever they and the links in it say."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.workers.sandbox.paths import (
    ForbiddenPath,
    check_pattern,
    inside,
    matching,
    open_inside,
    parse_path,
)

ELSEWHERE = (
    "..", "../x", "a/../b", "a/..", "../../etc/passwd", "/etc/passwd", "//etc/passwd",
    "~/.ssh/id", "~root", "a/../../x", "..\\x", "a\\..\\..\\x", "C:\\x", "c:/x", "",
    " ", "a\0b", "a\nb", "a\x1b[0m", "\u0085", "./../x", "x/./../y", "a//../b",
    "\ud800", "x" * 2_000, "..//..//x", "\\\\host\\share",
)  # fmt: skip


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_path_that_leads_elsewhere_is_refused(text: str) -> None:
    """M-WRK-12, R-67."""
    with pytest.raises(ForbiddenPath):
        parse_path(text)


@given(st.text(max_size=60))
def test_what_is_not_refused_is_below(tmp_path_factory: object, text: str) -> None:
    """M-WRK-12: no text leads out, read as the system reads it."""
    try:
        path = parse_path(text)
    except ForbiddenPath:
        return

    whole = os.path.normpath(os.path.join("/run/own", str(path)))
    assert whole == "/run/own" or whole.startswith("/run/own/")


@pytest.mark.parametrize("path", ["link", "link/x", "a/link/x", "dangling"])
def test_links_are_not_followed(tmp_path: Path, path: str) -> None:
    """M-WRK-12, R-67: neither as the file nor on the way."""
    own = _folder(tmp_path)

    with pytest.raises(ForbiddenPath):
        inside(own, path)
    with pytest.raises(ForbiddenPath):
        open_inside(own, path, os.O_RDONLY)


def test_a_file_is_opened_where_it_is(tmp_path: Path) -> None:
    own = _folder(tmp_path)

    with os.fdopen(open_inside(own, "a/file", os.O_WRONLY | os.O_CREAT), "w") as file:
        file.write("x")

    assert (own / "a" / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "a/b.txt", "a/b/c.txt"]),
        ("a/*", ["a/b.txt"]),
        ("a/**", ["a/b.txt", "a/b/c.txt"]),
        ("a/", ["a/b.txt", "a/b/c.txt"]),
        ("?.txt", ["a.txt"]),
        ("**/c.txt", ["a/b/c.txt"]),
        ("[ab].txt", []),
        ("b.txt", []),
    ],
)
def test_patterns_find_files_below(
    tmp_path: Path, pattern: str, found: list[str]
) -> None:
    """M-WRK-12."""
    for name in ("a.txt", "a/b.txt", "a/b/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert sorted(matching(tmp_path, [pattern])) == found


def test_patterns_find_nothing_but_files_with_one_name(tmp_path: Path) -> None:
    """M-WRK-12, R-67: links, pipes and second names may be something else outside."""
    own = _folder(tmp_path)
    os.mkfifo(own / "pipe")
    (own / "one").touch()
    os.link(own / "one", own / "two")
    (own / "plain").touch()

    assert list(matching(own, ["**/*"])) == ["plain"]


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "a/../../*", "*" * 20])
def test_a_pattern_that_looks_elsewhere_is_refused(pattern: str) -> None:
    """M-WRK-12."""
    with pytest.raises(ForbiddenPath):
        check_pattern(pattern)


def _folder(tmp_path: Path) -> Path:
    own, outside = tmp_path / "own", tmp_path / "outside"
    (own / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "x").touch()
    (own / "link").symlink_to(outside)
    (own / "a" / "link").symlink_to(outside)
    (own / "dangling").symlink_to(outside / "none")
    return own
