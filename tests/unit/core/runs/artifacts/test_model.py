"""What an artifact may be called, and what its content is taken for."""

import pytest

from core.kernel.problems import InvalidArgument
from core.runs.artifacts.model import (
    ArtifactKind,
    name_for,
    parse_kind,
    require_name,
    settle_kind,
)

NASTY = [
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/shadow",
    "C:\\boot.ini",
    "c:evil.txt",
    "file.txt:stream",
    "..",
    ".",
    " ",
    "a/../../b",
    "a\\b",
    "con",
    "NUL.txt",
    "LPT1",
    "com¹.log",
    "trailing.",
    "trailing ",
    "report\u202efdp.exe",
    "zero\u200bwidth",
    "esc\x1b[31m.txt",
    "bell\x07",
    'quo"te.txt',
    "pipe|.txt",
    "star*.txt",
    "e\u0301.txt",
    "%s\x7f",
    "new\nline",
    "x" * 300,
]


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_name_is_refused_and_a_good_one_is_offered(name: str) -> None:
    """R-67: nothing that leaves a folder, hides or is special somewhere."""
    with pytest.raises(InvalidArgument):
        require_name(name)

    offered = name_for(name)
    assert require_name(offered) == offered
    assert offered not in ("", ".", "..")


@pytest.mark.parametrize(
    "name", ["report.md", "Übersicht 2026.json", ".gitignore", "a..b", "日本語.txt"]
)
def test_a_name_that_is_one_everywhere_is_kept(name: str) -> None:
    assert require_name(name) == name


def test_a_path_becomes_a_name() -> None:
    assert name_for("docs/plan.md") == "docs-plan.md"
    assert name_for("x" * 300 + ".json").endswith("x.json")


@pytest.mark.parametrize(
    ("said", "name", "content", "kind"),
    [
        ("file", "a.md", b"# A", "markdown"),
        ("file", "a.json", b'{"a":1}', "json"),
        ("json", "a.json", b"{", "text"),
        ("file", "a.patch", b"--- a", "diff"),
        ("file", "a.bin", b"hello", "text"),
        ("markdown", "a.md", b"\0\1", "file"),
        ("text", "a.txt", b"\xff\xfe", "file"),
        ("image", "a.png", b"<svg onload=alert(1)>", "text"),
        ("text", "a.txt", b"\x89PNG\r\n\x1a\n....", "image"),
        ("file", "a.webp", b"RIFF....WEBPVP8 ", "image"),
        ("image", "a.png", b"\0\0", "file"),
        ("diff", "a.txt", b"+1", "diff"),
    ],
)
def test_a_kind_counts_only_if_the_content_looks_so(
    said: str, name: str, content: bytes, kind: str
) -> None:
    settled = settle_kind(ArtifactKind(said), name, content, is_whole=True)

    assert settled == kind


def test_a_character_may_be_cut_at_the_end_of_the_head() -> None:
    head = "aé".encode()[:-1]

    assert settle_kind(ArtifactKind.FILE, "a", head, is_whole=False) == "text"
    assert settle_kind(ArtifactKind.FILE, "a", head, is_whole=True) == "file"


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_kind("exe")

    assert "markdown" in caught.value.fix[0]
