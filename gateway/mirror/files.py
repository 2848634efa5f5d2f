"""Files that nobody sees half-written, and how to tell that somebody touched one."""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What tells, without reading a file, that it is still the one we left."""

    inode: int
    size_bytes: int
    changed_ns: int


def stamp_of(path: Path) -> Stamp | None:
    """Take the stamp of a file; None when there is none."""
    try:
        return _stamp(path.stat())
    except FileNotFoundError:
        return None


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, parts: Iterable[bytes]) -> Stamp:
    """Put a whole new file in the place of another, and wait until it is on disk.

    Shape:  a reader sees the old bytes or the new ones; a failure leaves the old ones.
    Raises: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.writelines(parts)
            stamp = sync_file(file)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)
    return stamp


def sync_file(file: IO[bytes]) -> Stamp:
    """Wait until what was written is on disk; give the stamp of the file."""
    file.flush()
    os.fsync(file.fileno())
    return _stamp(os.fstat(file.fileno()))


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class FolderLock:
    """The right to write a folder; the system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody has it; tell whether it is ours.

        Raises: OSError.
        """
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let somebody else write."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _stamp(facts: os.stat_result) -> Stamp:
    return Stamp(
        inode=facts.st_ino, size_bytes=facts.st_size, changed_ns=facts.st_mtime_ns
    )
