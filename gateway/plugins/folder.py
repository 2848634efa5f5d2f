"""Which plugins lie in the folder, and whether they are the same as before."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

LIMIT_BYTES = 1_048_576
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_MOST_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file, or a package, as it lies there now.

    Shape:  `path` is what is imported. `stamp` is another one whenever something was
            written; `fault` says why it cannot be read at all.
    """

    name: str
    path: Path
    stamp: tuple[object, ...]
    fault: str = ""

    @property
    def is_package(self) -> bool:
        """Whether it is a folder with modules."""
        return self.path.name == "__init__.py"

    @property
    def place(self) -> Path:
        """The file or folder that has its name."""
        return self.path.parent if self.is_package else self.path


def scan(folder: Path) -> Mapping[str, Source]:
    """Look at what lies in a folder, by the plugins' names; none if there is no folder.

    Raises: OSError when it cannot be listed.
    """
    found: dict[str, Source] = {}
    for path in _entries(folder):
        source = _source(path)
        if source is None:
            continue
        if other := found.get(source.name):
            clash = f"{other.place.name} and {source.place.name} have one name"
            source = replace(source, stamp=(*other.stamp, *source.stamp), fault=clash)
        found[source.name] = source
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(each) for each in entries)
    except FileNotFoundError:
        return []


def _source(path: Path) -> Source | None:
    if path.name.startswith(("_", ".", "test_")) or path.name == "conftest.py":
        return None
    if path.suffix == ".py":
        return _read(path.stem, path, [path])
    main = path / "__init__.py"
    if not main.is_file():
        return None
    return _read(path.name, main, sorted(path.rglob("*.py"))[:_MOST_FILES])


def _read(name: str, path: Path, files: list[Path]) -> Source:
    try:
        stats = [(str(each), os.stat(each)) for each in files]
    except OSError as fault:
        why = fault.strerror or type(fault).__name__
        return Source(name=name, path=path, stamp=(why,), fault=why)
    stamp = tuple(
        (each, now.st_mtime_ns, now.st_size, now.st_ino) for each, now in stats
    )
    wrong = next(_faults(name, [now for _, now in stats]), "")
    return Source(name=name, path=path, stamp=stamp, fault=wrong)


def _faults(name: str, stats: list[os.stat_result]) -> Iterator[str]:
    """Say why a plugin is not even opened."""
    if not NAME.fullmatch(name):
        yield "name it with small letters, digits and _, a letter first"
    if not all(stat.S_ISREG(each.st_mode) for each in stats):
        yield "it is no file"
    size = sum(each.st_size for each in stats)
    if size > LIMIT_BYTES:
        yield f"it has {size} bytes, and at most {LIMIT_BYTES} are read"
