"""What an artifact is, what it may be called, and what kind its content is; pure."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

import orjson

from core.kernel.ids import ArtifactId
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import InvalidArgument, MissingScope
from core.kernel.sanitise import sanitise
from core.kernel.texts import require_line

PIECE_BYTES = 256 * 1024
INLINE_BYTES = 64 * 1024
UPLOAD = "upload"
"""What the signed links are for by which contents come."""

MOST_ARTIFACTS = 500
"""How many artifacts one run, or one export, may have."""

_OF_RUNS, _OF_EXPORTS = "runs:read", "jobs:read"
_NAME_BYTES = 200
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


class ArtifactState(StrEnum):
    """Whether the content is there: expected, complete, or never to come."""

    WAITING = "waiting"
    READY = "ready"
    EXPIRED = "expired"


class ArtifactKind(StrEnum):
    """How an artifact may be shown; `file` is what is only ever downloaded."""

    MARKDOWN = "markdown"
    JSON = "json"
    DIFF = "diff"
    IMAGE = "image"
    TEXT = "text"
    FILE = "file"


_BY_SUFFIX = {
    ".md": ArtifactKind.MARKDOWN,
    ".markdown": ArtifactKind.MARKDOWN,
    ".json": ArtifactKind.JSON,
    ".diff": ArtifactKind.DIFF,
    ".patch": ArtifactKind.DIFF,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept: of one artifact, of all of one subject, and how long to wait."""

    each_bytes: int = 50_000_000
    total_bytes: int = 200_000_000
    upload_within: timedelta = timedelta(minutes=15)


LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file or a text that a run, or an export, left behind.

    Shape:  `subject` is the id of what it belongs to. `is_partial` says that the step
            that made it did not succeed. `upload_until` is set while it is waited for.
    """

    id: ArtifactId
    subject: str
    attempt: int
    name: str
    kind: ArtifactKind
    state: ArtifactState
    size_bytes: int
    sha256: str
    is_partial: bool = False
    upload_until: datetime | None = None
    created_at: datetime

    @property
    def is_ready(self) -> bool:
        """Whether the content can be read."""
        return self.state is ArtifactState.READY

    @property
    def is_textual(self) -> bool:
        """Whether the content may be shown as text."""
        return self.kind not in (ArtifactKind.IMAGE, ArtifactKind.FILE)

    @property
    def pieces(self) -> int:
        """How many pieces the content has."""
        return -(-self.size_bytes // PIECE_BYTES)


class Uploads(NamedTuple):
    """How much is kept, and the address that takes the content of an artifact."""

    limits: Limits
    url_of: Callable[[TenantId, Artifact], str]


def is_of_export(subject: str) -> bool:
    """Whether a subject is an export, and not a run."""
    return subject.startswith("X-")


def scope_of(subject: str) -> str:
    """Name the right that it takes to read what belongs to a run or an export."""
    return _OF_EXPORTS if is_of_export(subject) else _OF_RUNS


def require_any(principal: Principal) -> None:
    """Refuse whoever may read no artifact at all, before telling whether there is one.

    Raises: MissingScope.
    """
    if not (principal.may(_OF_RUNS) or principal.may(_OF_EXPORTS)):
        raise MissingScope(_OF_RUNS, who=principal.name)


def require_name(name: str) -> str:
    """Return a name that is one on every file system, and nowhere a path.

    Raises: InvalidArgument with the name that would do.
    """
    require_line("name", name, limit=_NAME_BYTES)
    safe = name_for(name)
    if safe != name:
        raise InvalidArgument(
            f"{name!r} is no name for an artifact",
            fix=[f"call it {safe}"],
            field="name",
        )
    return name


def name_for(path: str) -> str:
    """Make a name of a path or of any other text: `docs/a.md` becomes `docs-a.md`.

    Shape:  never empty, at most 200 bytes, its ending is kept if there is room.
    """
    seen = sanitise(unicodedata.normalize("NFC", path))
    parts = [part for part in re.split(r"[/\\\n\t]+", seen) if part.strip(" .")]
    name = _FORBIDDEN.sub("-", "-".join(parts)).strip(" ").rstrip(". ")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _shorten(name) or "artifact"


def require_sha256(digest: str) -> str:
    """Return a digest in lower-case hexadecimal.

    Raises: InvalidArgument.
    """
    if not _SHA256.fullmatch(digest):
        raise InvalidArgument(
            "sha256 is not 64 hexadecimal digits in lower case",
            fix=["sha256sum <file>"],
            field="sha256",
        )
    return digest


def parse_kind(kind: str) -> ArtifactKind:
    """Read what somebody says the kind is.

    Raises: InvalidArgument naming the kinds there are.
    """
    if kind not in set(ArtifactKind):
        raise InvalidArgument(
            f"{kind[:40]!r} is no kind of artifact",
            fix=[f"use {', '.join(ArtifactKind)}"],
            field="kind",
        )
    return ArtifactKind(kind)


def settle_kind(
    kind: ArtifactKind, name: str, head: bytes, *, is_whole: bool
) -> ArtifactKind:
    """Say what kind a content is; what it is said to be counts only if it looks so.

    Shape:  `head` is its beginning; `is_whole` says that there is nothing more.
    """
    if head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return ArtifactKind.IMAGE
    if not _is_text(head, is_whole=is_whole):
        return ArtifactKind.FILE
    said = _BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), ArtifactKind.TEXT)
    if kind not in (ArtifactKind.FILE, ArtifactKind.IMAGE):
        said = kind
    if said is ArtifactKind.JSON and is_whole and not _is_json(head):
        return ArtifactKind.TEXT
    return said


def _is_text(head: bytes, *, is_whole: bool) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as fault:
        # A character may be cut at the end of what was looked at.
        return not is_whole and fault.start > len(head) - 4
    return True


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def _shorten(name: str) -> str:
    if len(name.encode()) <= _NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    ending = suffix if len(suffix.encode()) <= 20 else ""
    room = _NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore").rstrip(". ") + ending
