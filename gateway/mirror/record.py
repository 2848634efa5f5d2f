"""What the mirror knows of its own files, kept beside them so that a crash loses nothing.

A tag is recorded before its document is written. After a crash the file is either the
one that was there or the one that was to come; everything else is somebody's edit.
"""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from core.kernel.clock import Micros
from core.kernel.etag import version_of
from gateway.mirror.files import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A place in the event file up to which it is known to be ours."""

    seq: int = 0
    size_bytes: int = 0
    digest: str = sha256().hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """An edit that waits: what the file was before, and until when it is left alone."""

    base: str
    until: Micros


@dataclass(slots=True, kw_only=True)
class Record:
    """The tags of each document (the written one, the one to come) and the edits."""

    tags: dict[str, list[str]] = field(default_factory=dict)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    holds: dict[str, Hold] = field(default_factory=dict)

    def expect(self, name: str, tag: str) -> None:
        """Note the tag of what is going to be written."""
        self.tags[name] = [*self.tags.get(name, [])[:1], tag]

    def confirm(self, name: str, tag: str) -> None:
        """Note that it was written, or found."""
        self.tags[name] = [tag]

    def written(self, name: str) -> str:
        """Return the tag of what was last written; "" when nothing was."""
        return self.tags.get(name, [""])[0]

    def find(self, name: str, digest: str) -> str:
        """Return the tag of a document of ours with this digest; "" if there is none."""
        return next(
            (tag for tag in self.tags.get(name, []) if tag.endswith(f"-{digest}")), ""
        )


def load_record(path: Path) -> Record:
    """Read a record; an absent or spoilt one is empty."""
    try:
        raw: dict[str, Any] = orjson.loads(path.read_bytes())
        return Record(
            tags={name: _tags(each) for name, each in raw["tags"].items()},
            checkpoint=Checkpoint(**raw["checkpoint"]),
            holds={name: Hold(**hold) for name, hold in raw["holds"].items()},
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return Record()


def save_record(path: Path, record: Record) -> None:
    """Put a record on disk.

    Raises: OSError.
    """
    replace_file(path, [orjson.dumps(asdict(record), option=orjson.OPT_INDENT_2)])


def _tags(given: list[str]) -> list[str]:
    return [tag for tag in given if version_of(tag) is not None]
