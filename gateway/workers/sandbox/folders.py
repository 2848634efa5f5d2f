"""The folders that runs work in: one for each attempt, gone when it is over."""

import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from types import TracebackType

_PRIVATE = 0o700
_NAME = re.compile(r"(\d+)-R-\d+-\d+-[0-9a-f]{8}")

_Fault = tuple[type[BaseException], BaseException, TracebackType]


def make_folder(base: Path, run_id: str, attempt: int) -> Path:
    """Make an empty folder that nobody else may look into.

    Raises: OSError.
    """
    base.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    found = base.resolve() / f"{os.getpid()}-{run_id}-{attempt}-{token_hex(4)}"
    found.mkdir(mode=_PRIVATE)
    return found


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, also what was made read-only; follow no link."""
    shutil.rmtree(folder, onerror=_unlocked)


def sweep_folders(base: Path) -> int:
    """Remove what workers left behind that are no more; tell how many folders."""
    swept = 0
    for each in base.glob("*-R-*") if base.is_dir() else ():
        named = _NAME.fullmatch(each.name)
        if named and not each.is_symlink() and not Path("/proc", named[1]).exists():
            remove_folder(each)
            swept += 1
    return swept


def _unlocked(again: Callable[[str], object], path: str, fault: _Fault) -> None:
    """Allow what was forbidden inside the folder, and try once more."""
    if isinstance(fault[1], FileNotFoundError):
        return
    for each in (os.path.dirname(path), path):
        if stat.S_ISDIR(os.lstat(each).st_mode):
            os.chmod(each, _PRIVATE)
    if again in (os.rmdir, os.unlink):
        again(path)
    elif os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
