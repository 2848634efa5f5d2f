"""Contents of artifacts over HTTP: up by a signed link, down with a credential."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from hashlib import sha256

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from commands import bus
from core.audit.model import AuditDraft, Verdict
from core.database import Database, Tx
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import to_json
from core.kernel.principal import Principal, system
from core.kernel.problems import InvalidArgument, InvalidHeader, Problem, Unavailable
from core.runs import calls
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import (
    PIECE_BYTES,
    UPLOAD,
    Artifact,
    is_of_export,
    require_any,
    scope_of,
)
from core.secrets.links import Links
from gateway.http.asgi import JSON, Headers, respond
from gateway.http.files import FileAnswer, Files
from gateway.http.visits import Visits

CONTENT_PATH = "/v1/artifacts/{artifact}/content"
UPLOAD_PATH = "/v1/uploads/{token}"


class ContentDoor:
    """`GET /v1/artifacts/{id}/content`: what a run or an export left behind."""

    def __init__(self, visits: Visits, files: Files) -> None:
        self._visits = visits
        self._files = files

    @property
    def route(self) -> Route:
        """The route of this door, for the application."""
        return _route(CONTENT_PATH, self, "GET", name="artifact_content")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        envelope = self._visits.begin(scope, "artifact content")
        try:
            headers = Headers.of(scope)
            principal = await self._visits.identify(scope)
            envelope = replace(envelope, credential=principal)
            artifact_id = scope["path_params"]["artifact"].upper()
            require_any(principal)
            artifact = await self._files.open_(principal, artifact_id)
            if is_of_export(artifact.subject):
                bus.require_pair(principal)
            self._visits.admit(envelope, scope_of(artifact.subject))
            answer = FileAnswer(
                self._files, principal, artifact, headers=headers, extra=[]
            )
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)
        else:
            await answer(scope, receive, send)


class UploadDoor:
    """`PUT /v1/uploads/{token}`: a content that was announced before.

    Shape:  the token says whose and which; nothing else is asked for. What comes is
            stored piece by piece as it comes, and readable once all of it was checked.
    """

    def __init__(
        self, visits: Visits, db: Database, links: Links, *, clock: Clock
    ) -> None:
        self._visits = visits
        self._db = db
        self._links = links
        self._clock = clock

    @property
    def route(self) -> Route:
        """The route of this door, for the application."""
        return _route(UPLOAD_PATH, self, "PUT", name="artifact_upload")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        envelope = self._visits.begin(scope, "artifact upload")
        try:
            link = self._links.read(
                scope["path_params"]["token"], UPLOAD, now=self._clock.now()
            )
            by = system(link.tenant, name="upload")
            envelope = replace(envelope, credential=by)
            announced = await self._db.read(
                lambda tx: artifacts.get_(tx, link.subject), by=by
            )
            _require_length(scope, announced)
            artifact = await self._take(announced, by, receive, envelope)
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)
        else:
            await respond(
                send,
                200,
                to_json(artifacts.view(artifact)),
                headers=[JSON, (b"etag", f'"{artifact.sha256}"'.encode())],
            )

    async def _take(
        self, announced: Artifact, by: Principal, receive: Receive, envelope: Envelope
    ) -> Artifact:
        """Store what comes; what is not what was announced is gone again."""
        pieces = _pieces(receive)
        if announced.is_ready:
            # Sent again, because the answer was lost.
            digest = sha256()
            async for piece in pieces:
                digest.update(piece)
            return artifacts.require_same(announced, digest.hexdigest())
        await self._db.write(partial(_begin, announced=announced), by=by)
        seq = 0
        async for piece in pieces:
            add = partial(
                artifacts.add_piece, artifact_id=announced.id, seq=seq, content=piece
            )
            await self._db.write(add, by=by)
            seq += 1
        try:
            return await self._db.write(
                partial(_finish, announced=announced, envelope=envelope), by=by
            )
        except InvalidArgument:
            await self._db.write(lambda tx: artifacts.drop(tx, announced.id), by=by)
            raise


def _route(
    path: str, door: ContentDoor | UploadDoor, method: str, *, name: str
) -> Route:
    route = Route(path, door, methods=[method], name=name)
    # Starlette adds HEAD to GET, which the API does not have.
    route.methods = {method}
    return route


def _begin(tx: Tx, announced: Artifact) -> None:
    """Take the first piece next, as long as the attempt goes on that it is of.

    Raises: LeaseLost, and as `artifacts.restart`.
    """
    _require_attempt(tx, announced)
    artifacts.restart(tx, announced.id)


def _require_attempt(tx: Tx, announced: Artifact) -> None:
    if announced.subject.startswith("R-"):
        calls.require_attempt(tx, announced.subject, announced.attempt)


def _finish(tx: Tx, announced: Artifact, envelope: Envelope) -> Artifact:
    """Make it readable, and write down that it came.

    Raises: LeaseLost, and as `artifacts.finish`.
    """
    _require_attempt(tx, announced)
    artifact = artifacts.finish(tx, announced.id)
    tx.record(
        AuditDraft(
            action=envelope.command,
            actor=tx.principal.name,
            channel=envelope.channel,
            verdict=Verdict.ALLOWED,
            target=artifact.id,
            after_digest=artifact.sha256,
        )
    )
    return artifact


def _require_length(scope: Scope, announced: Artifact) -> None:
    """Refuse, before anything is read, what cannot be what was announced.

    Raises: InvalidHeader, InvalidArgument.
    """
    length = Headers.of(scope).get(b"content-length")
    if not (length.isascii() and length.isdigit()):
        raise InvalidHeader(
            "an upload needs a Content-Length", fix=["curl -T <file> <upload_url>"]
        )
    if int(length) != announced.size_bytes:
        raise InvalidArgument(
            f"{announced.id} was announced with {announced.size_bytes} bytes, and"
            f" {length[:20]} are sent",
            fix=["put it again with the size that it has"],
            field="size",
        )


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """Yield a body in pieces of 256 KiB; more than one and a bit is never held.

    Raises: Unavailable when the client went away.
    """
    held = bytearray()
    is_more = True
    while is_more:
        event = await receive()
        if event["type"] != "http.request":
            raise Unavailable("the client went away")
        held += event.get("body", b"")
        is_more = event.get("more_body", False)
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)
