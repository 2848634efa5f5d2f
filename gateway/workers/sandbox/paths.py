"""Keeps paths inside a folder, whatever they and the links in it say."""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core.kernel.problems import InvalidArgument

MOST_CHARS = 1_024
MOST_FOUND = 1_000

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CARDS = {"*": "[^/]*", "?": "[^/]"}
_MOST_CARDS = 8
_DRIVE = re.compile(r"[A-Za-z]:")


class ForbiddenPath(InvalidArgument):
    """A path that is not inside of the folder of the run."""

    code = "forbidden_path"
    title = "The path leads elsewhere"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path[:100]!r} {why}",
            fix=["use a path inside the folder of the run, such as dist/app.tar.gz"],
            argument="path",
        )


def parse_path(text: str) -> PurePosixPath:
    """Read a path that stays below where it starts, as far as its words tell.

    Raises: ForbiddenPath.
    """
    if not text.strip() or len(text) > MOST_CHARS:
        raise ForbiddenPath(text, "is no path")
    if _CONTROLS.search(text) or "\\" in text or not _is_encodable(text):
        raise ForbiddenPath(text, "holds characters that paths of steps may not have")
    if text.startswith(("/", "~")) or _DRIVE.match(text):
        raise ForbiddenPath(text, "is absolute")
    if ".." in text.split("/"):
        raise ForbiddenPath(text, "leads upwards")
    return PurePosixPath(text)


def inside(folder: Path, text: str) -> Path:
    """Find where a path leads, through no link at all.

    Raises: ForbiddenPath.
    """
    found = folder
    for part in parse_path(text).parts:
        found /= part
        if found.is_symlink():
            raise ForbiddenPath(text, "goes through a link")
    return found


def open_inside(folder: Path, text: str, flags: int, mode: int = 0o600) -> int:
    """Open a file below a folder; each step is taken from the one before, never by name.

    Raises: ForbiddenPath for what goes through a link; OSError as `open`.
    """
    *parents, name = parse_path(text).parts or (".",)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parents:
            at, before = _down(at, part, text), at
            os.close(before)
        if _is_link(at, name):
            raise ForbiddenPath(text, "is a link")
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=at)
    finally:
        os.close(at)


def matching(folder: Path, patterns: Sequence[str]) -> Iterator[str]:
    """List the files below a folder that patterns match, in order; no links, no pipes.

    Shape:  `*` stays in a folder, `**` goes through any number of them. A file that has
            a second name is left out: the other one may be outside.
    """
    wanted = [_compiled(each) for each in patterns]
    found = 0
    for top, folders, files in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(files):
            path = Path(top, name)
            relative = path.relative_to(folder).as_posix()
            if not any(each.fullmatch(relative) for each in wanted):
                continue
            if is_plain(path) and (found := found + 1) <= MOST_FOUND:
                yield relative


def is_plain(path: Path) -> bool:
    """Tell whether a path is a file that has this name alone."""
    try:
        state = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1


def check_pattern(text: str) -> None:
    """Refuse a pattern that looks elsewhere, or for too much.

    Raises: ForbiddenPath.
    """
    parse_path(text)
    if text.count("*") > _MOST_CARDS:
        raise ForbiddenPath(text, f"has more than {_MOST_CARDS} `*`")


def _down(at: int, part: str, text: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    if _is_link(at, part):
        raise ForbiddenPath(text, "goes through a link")
    return os.open(part, flags, dir_fd=at)


def _is_link(at: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=at).st_mode)
    except FileNotFoundError:
        return False


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [each for each in pattern.split("/") if each not in ("", ".")]
    if pattern.endswith("/"):
        parts.append("**")
    *parents, last = parts or ["*"]
    begin = "".join(_parent(each) for each in parents)
    return re.compile(begin + (".*" if last == "**" else _segment(last)))


def _parent(part: str) -> str:
    return "(?:[^/]+/)*" if part == "**" else f"{_segment(part)}/"


def _segment(part: str) -> str:
    return "".join(_CARDS.get(each, re.escape(each)) for each in part)
