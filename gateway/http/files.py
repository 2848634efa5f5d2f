"""Sends the content of artifacts, a piece at a time, to whoever may have it."""

import re
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.database import Database
from core.kernel.etag import is_none_match
from core.kernel.principal import Principal
from core.kernel.problems import Conflict
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import PIECE_BYTES, Artifact, ArtifactKind
from gateway.http.asgi import BASE_HEADERS, HeaderList, Headers

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,=@~-]")
_MEDIA_TYPES = {
    ArtifactKind.MARKDOWN: "text/markdown; charset=utf-8",
    ArtifactKind.JSON: "application/json",
    ArtifactKind.DIFF: "text/x-diff; charset=utf-8",
    ArtifactKind.TEXT: "text/plain; charset=utf-8",
    ArtifactKind.IMAGE: "application/octet-stream",
    ArtifactKind.FILE: "application/octet-stream",
}
_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


class Span(NamedTuple):
    """Which bytes of a content are sent: from `begin`, up to before `end`."""

    begin: int
    end: int


class Files:
    """Reads artifacts for their routes; never more than a piece of one is held."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open_(self, principal: Principal, artifact_id: str) -> Artifact:
        """Find an artifact whose content is there.

        Raises: NotFound, Conflict when it is still waited for, or was in vain.
        """
        artifact = await self._db.read(
            lambda tx: artifacts.get_(tx, artifact_id), by=principal
        )
        if not artifact.is_ready:
            raise Conflict(
                f"the content of {artifact.id} is not there: it is {artifact.state}",
                fix=[f"artifact show {artifact.id}"],
            )
        return artifact

    async def read(
        self, principal: Principal, artifact: Artifact, span: Span
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of a span; fewer when it is replaced meanwhile."""
        at = span.begin
        while at < span.end:
            seq, skipped = divmod(at, PIECE_BYTES)
            read = partial(artifacts.read_piece, artifact_id=artifact.id, seq=seq)
            piece = await self._db.read(read, by=principal)
            if not piece:
                return
            wanted = piece[skipped : skipped + span.end - at]
            yield wanted
            at += len(wanted)


class FileAnswer(Response):
    """An artifact as a download: whole, the part that was asked for, or "unchanged"."""

    def __init__(
        self,
        files: Files,
        principal: Principal,
        artifact: Artifact,
        *,
        headers: Headers,
        extra: HeaderList,
    ) -> None:
        self._files = files
        self._principal = principal
        self._artifact = artifact
        self.background = None
        self.status_code, self._span = _choose(artifact, headers)
        self.raw_headers = [*extra, *_headers(artifact, self.status_code, self._span)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; each piece is read once the connection took the one before.

        Shape:  HEAD is answered with the headers alone.
        """
        given = {name for name, _ in self.raw_headers}
        base = [each for each in BASE_HEADERS if each[0] not in given]
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": [*base, *self.raw_headers],
            }
        )
        span = Span(0, 0) if scope["method"] == "HEAD" else self._span
        async for piece in self._files.read(self._principal, self._artifact, span):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def disposition(name: str) -> str:
    """Write a Content-Disposition by which a name is saved and never opened.

    Source: RFC 6266; the plain name is for those who cannot read the other.
    """
    plain = _PLAIN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _choose(artifact: Artifact, headers: Headers) -> tuple[int, Span]:
    """Say which status and which bytes a request calls for."""
    whole, nothing = Span(0, artifact.size_bytes), Span(0, 0)
    known = headers.get(b"if-none-match")
    if known and not is_none_match(known, artifact.sha256):
        return 304, nothing
    wanted = _RANGE.fullmatch(headers.get(b"range").strip())
    condition = headers.get(b"if-range").strip()
    if wanted is None or condition not in ("", f'"{artifact.sha256}"'):
        return 200, whole
    span = _span(wanted[1], wanted[2], artifact.size_bytes)
    if span is None:
        return 200, whole
    return (206, span) if span.begin < span.end else (416, nothing)


def _span(first: str, last: str, size: int) -> Span | None:
    """Read a range; None when it is none and so is not looked at."""
    if first and last and int(last) < int(first):
        return None
    if first:
        return Span(int(first), min(int(last) + 1, size) if last else size)
    return Span(max(0, size - int(last)), size) if last else None


def _headers(artifact: Artifact, status: int, span: Span) -> HeaderList:
    found: HeaderList = [
        (b"etag", f'"{artifact.sha256}"'.encode()),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"private, no-cache"),
    ]
    if status == 304:
        return found
    size = artifact.size_bytes
    if status == 416:
        found.append((b"content-range", b"bytes */%d" % size))
    if status == 206:
        place = b"bytes %d-%d/%d" % (span.begin, span.end - 1, size)
        found.append((b"content-range", place))
    return [
        *found,
        (b"content-length", b"%d" % (span.end - span.begin)),
        (b"content-type", _media_type(artifact).encode()),
        (b"content-disposition", disposition(artifact.name).encode()),
    ]


def _media_type(artifact: Artifact) -> str:
    """Name a type that no browser takes for a page or a program."""
    known = _MEDIA_TYPES[artifact.kind]
    if artifact.kind is not ArtifactKind.IMAGE:
        return known
    ending = artifact.name[artifact.name.rfind(".") :].lower()
    return _IMAGES.get(ending, known)
