"""Unpacks archives into a folder: nothing beside it, and no more than was agreed on."""

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO, NamedTuple

from core.kernel.problems import InvalidArgument
from gateway.workers.sandbox.limits import MIB
from gateway.workers.sandbox.paths import ForbiddenPath, open_inside, parse_path

_CHUNK = 65_536
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, EOFError,
    NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


class BadArchive(InvalidArgument):
    """What is no archive, or one that nobody should unpack."""

    code = "bad_archive"
    title = "The archive is not unpacked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may hold, whatever it says of itself."""

    entries: int = 10_000
    total_bytes: int = 512 * MIB
    entry_bytes: int = 256 * MIB


class _Entry(NamedTuple):
    name: str
    size: int
    is_folder: bool
    content: "IO[bytes] | None"


def unpack(archive: Path, into: Path, limits: ArchiveLimits) -> list[str]:
    """Unpack a zip or a tar, and list its files.

    Shape:  links, devices and other things that are no file are refused; all names are
            looked at before anything is written. Files that are there are not replaced.
    Raises: BadArchive, ForbiddenPath; OSError.
    """
    try:
        with _opened(archive) as opened:
            _check(opened, limits)
            return list(_unpacked(opened, into, limits))
    except FileExistsError as fault:
        raise BadArchive(
            f"{Path(str(fault.filename)).name} is there already"
        ) from fault
    except _BROKEN as fault:
        raise BadArchive(f"the archive is damaged: {fault}"[:200]) from fault


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield opened
        return
    with tarfile.open(archive) as opened_tar:
        yield opened_tar


def _check(opened: zipfile.ZipFile | tarfile.TarFile, limits: ArchiveLimits) -> None:
    """Look at all that an archive says it holds."""
    total = 0
    for count, entry in enumerate(_entries(opened, is_read=False), start=1):
        parse_path(entry.name.rstrip("/"))
        total += entry.size
        if count > limits.entries:
            raise BadArchive(f"the archive has more than {limits.entries} entries")
        if entry.size > limits.entry_bytes or total > limits.total_bytes:
            raise BadArchive("the archive holds too much")


def _unpacked(
    opened: zipfile.ZipFile | tarfile.TarFile, into: Path, limits: ArchiveLimits
) -> Iterator[str]:
    left = limits.total_bytes
    for entry in _entries(opened, is_read=True):
        name = entry.name.rstrip("/")
        _make_folders(into, name if entry.is_folder else os.path.dirname(name))
        if entry.content is not None:
            left -= _copy(entry.content, into, name, min(left, limits.entry_bytes))
            yield name


def _copy(content: IO[bytes], into: Path, name: str, most: int) -> int:
    """Write a file; what it holds counts, not what the archive says."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    written = 0
    with content, os.fdopen(open_inside(into, name, flags), "wb") as file:
        while chunk := content.read(_CHUNK):
            written += len(chunk)
            if written > most:
                raise BadArchive("the archive holds more than it says")
            file.write(chunk)
    return written


def _make_folders(into: Path, name: str) -> None:
    found = into
    for part in parse_path(name).parts if name else ():
        found /= part
        if found.is_symlink():
            raise ForbiddenPath(name, "goes through a link")
        found.mkdir(mode=0o700, exist_ok=True)


def _entries(
    opened: zipfile.ZipFile | tarfile.TarFile, *, is_read: bool
) -> Iterator[_Entry]:
    if isinstance(opened, zipfile.ZipFile):
        yield from _of_zip(opened, is_read=is_read)
    else:
        yield from _of_tar(opened, is_read=is_read)


def _of_zip(opened: zipfile.ZipFile, *, is_read: bool) -> Iterator[_Entry]:
    for each in opened.infolist():
        kind = stat.S_IFMT(each.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadArchive(f"{each.filename[:80]!r} is neither a file nor a folder")
        is_file = not each.is_dir()
        content = opened.open(each) if is_read and is_file else None
        yield _Entry(each.filename, each.file_size, not is_file, content)


def _of_tar(opened: tarfile.TarFile, *, is_read: bool) -> Iterator[_Entry]:
    for each in opened:
        if not (each.isreg() or each.isdir()):
            raise BadArchive(f"{each.name[:80]!r} is neither a file nor a folder")
        content = opened.extractfile(each) if is_read and each.isreg() else None
        yield _Entry(each.name, each.size, each.isdir(), content)
