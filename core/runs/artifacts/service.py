"""Keep what runs leave behind in the database, whole or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256 as digest_of

from core.database import Tx
from core.kernel.clock import to_iso
from core.kernel.ids import ArtifactId
from core.kernel.jsons import Json
from core.kernel.problems import Conflict, InvalidArgument, NotFound, TooLarge
from core.runs.artifacts import store
from core.runs.artifacts.model import (
    LIMITS,
    MOST_ARTIFACTS,
    PIECE_BYTES,
    Artifact,
    ArtifactState,
    Limits,
    parse_kind,
    require_name,
    require_sha256,
    settle_kind,
)

_MOST_SWEPT = 50


def put(  # noqa: PLR0913 - an artifact is that many facts
    tx: Tx,
    *,
    subject: str,
    name: str,
    kind: str,
    content: bytes,
    attempt: int = 0,
    is_partial: bool = False,
    limits: Limits = LIMITS,
) -> Artifact:
    """Keep a content that is here already; it replaces one of the same name.

    Raises: InvalidArgument for the name or the kind, TooLarge.
    """
    artifact = begin(
        tx,
        subject=subject,
        name=name,
        kind=kind,
        size_bytes=len(content),
        sha256=digest_of(content).hexdigest(),
        attempt=attempt,
        is_partial=is_partial,
        limits=limits,
    )
    if not artifact.is_ready:
        store.delete_pieces(tx, artifact.id)
        for seq, piece in enumerate(_pieces(content)):
            store.add_piece(tx, artifact.id, seq, piece)
        _make_ready(tx, artifact, content[:PIECE_BYTES])
    return get_(tx, artifact.id)


def begin(  # noqa: PLR0913 - an artifact is that many facts
    tx: Tx,
    *,
    subject: str,
    name: str,
    kind: str,
    size_bytes: int,
    sha256: str,
    attempt: int = 0,
    is_partial: bool = False,
    limits: Limits = LIMITS,
) -> Artifact:
    """Announce a content that is still to come, in pieces.

    Shape:  what is there already, whole and the same, is given back as ready: nothing
            needs to come then.
    Raises: InvalidArgument for the name, the kind or the digest, TooLarge.
    """
    if size_bytes < 0:
        raise InvalidArgument("a size is never negative", field="size")
    draft = Artifact(
        id=ArtifactId(""),
        subject=subject,
        attempt=attempt,
        name=require_name(name),
        kind=parse_kind(kind),
        state=ArtifactState.WAITING,
        size_bytes=size_bytes,
        sha256=require_sha256(sha256),
        is_partial=is_partial,
        created_at=tx.now,
    )
    return _admit(tx, draft, limits)


def restart(tx: Tx, artifact_id: str, *, limits: Limits = LIMITS) -> Artifact:
    """Begin with the first piece again, and wait as long as at first.

    Raises: as `add_piece`.
    """
    artifact = _require_waiting(tx, artifact_id)
    store.delete_pieces(tx, artifact.id)
    until = tx.now + limits.upload_within
    store.settle(tx, artifact, ArtifactState.WAITING, kind=artifact.kind, until=until)
    return artifact


def add_piece(tx: Tx, artifact_id: str, seq: int, content: bytes) -> None:
    """Keep the next piece: they count from 0, and all but the last have 256 KiB.

    Raises: NotFound, Conflict when it is not waited for or is not the next one,
            TooLarge when more comes than was announced.
    """
    artifact = _require_waiting(tx, artifact_id)
    pieces, stored = store.count_stored(tx, artifact.id)
    is_last = stored + len(content) == artifact.size_bytes
    if seq != pieces or (len(content) != PIECE_BYTES and not is_last):
        raise Conflict(
            f"piece {seq} with {len(content)} bytes is not the next of {artifact.id}",
            fix=["send the pieces in order, 256 KiB each, from the first on"],
        )
    if stored + len(content) > artifact.size_bytes:
        raise TooLarge(f"{artifact.id} was announced with {artifact.size_bytes} bytes")
    store.add_piece(tx, artifact.id, seq, content)


def finish(tx: Tx, artifact_id: str) -> Artifact:
    """Make an artifact readable once all of it is there and is what was announced.

    Shape:  one that is ready already stays so.
    Raises: NotFound, Conflict when it is not waited for, InvalidArgument when size or
            digest differ: what came is to be dropped then.
    """
    artifact = get_(tx, artifact_id)
    if artifact.is_ready:
        return artifact
    artifact = _require_waiting(tx, artifact_id)
    digest, size, head = digest_of(), 0, b""
    for piece in read(tx, artifact):
        head = head or piece
        digest.update(piece)
        size += len(piece)
    if (size, digest.hexdigest()) != (artifact.size_bytes, artifact.sha256):
        raise InvalidArgument(
            f"what came for {artifact.id} is not what was announced: {size} bytes"
            f" with the sha256 {digest.hexdigest()}",
            fix=["put it again", "sha256sum <file>"],
            field="sha256",
        )
    _make_ready(tx, artifact, head)
    return get_(tx, artifact.id)


def drop(tx: Tx, artifact_id: str) -> None:
    """Forget what came of an artifact; the right bytes are waited for as before."""
    artifact = store.find(tx, artifact_id)
    if artifact is not None and not artifact.is_ready:
        store.delete_pieces(tx, artifact.id)


def require_same(artifact: Artifact, sha256: str) -> Artifact:
    """Return an artifact that is there, for what came once more with that digest.

    Raises: Conflict.
    """
    if artifact.sha256 != sha256:
        raise Conflict(
            f"{artifact.id} is there already, with other bytes",
            fix=["announce the new content with artifacts.put"],
            sha256=artifact.sha256,
        )
    return artifact


def get_(tx: Tx, artifact_id: str) -> Artifact:
    """Get an artifact, whatever its state.

    Raises: NotFound.
    """
    found = store.find(tx, artifact_id)
    if found is None:
        raise NotFound(f"the artifact {artifact_id}", fix=["artifact list <run>"])
    return found


def list_of(tx: Tx, subject: str) -> Sequence[Artifact]:
    """List what belongs to a run or an export, in the order it came."""
    return store.list_of(tx, subject)


def read_piece(tx: Tx, artifact_id: str, seq: int) -> bytes | None:
    """Read a piece by its number, from 0; None behind the last."""
    return store.read_piece(tx, artifact_id, seq)


def read(tx: Tx, artifact: Artifact) -> Iterator[bytes]:
    """Read all pieces that are there, one at a time."""
    for seq in range(artifact.pieces):
        piece = store.read_piece(tx, artifact.id, seq)
        if piece is None:
            return
        yield piece


def view(artifact: Artifact) -> dict[str, Json]:
    """Show an artifact as JSON; `url` is where its content is, once it is ready."""
    return {
        "id": artifact.id,
        "subject": artifact.subject,
        "attempt": artifact.attempt,
        "name": artifact.name,
        "kind": artifact.kind.value,
        "state": artifact.state.value,
        "size_bytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "is_partial": artifact.is_partial,
        "url": f"/v1/artifacts/{artifact.id}/content" if artifact.is_ready else "",
        "created_at": to_iso(artifact.created_at),
    }


def has_late(tx: Tx) -> bool:
    """Tell whether something is waited for in vain."""
    return bool(store.list_late(tx, most=1))


def sweep(tx: Tx) -> int:
    """Give up what is waited for in vain; return how many were given up."""
    late = store.list_late(tx, most=_MOST_SWEPT)
    for artifact in late:
        store.delete_pieces(tx, artifact.id)
        store.settle(tx, artifact, ArtifactState.EXPIRED, kind=artifact.kind)
    return len(late)


def purge(tx: Tx, subject: str) -> None:
    """Forget all that belongs to a run or an export."""
    for artifact in store.list_of(tx, subject):
        store.delete(tx, artifact.id)


def _admit(tx: Tx, draft: Artifact, limits: Limits) -> Artifact:
    """Store a new artifact, or find the same one that is there or waited for."""
    others = store.list_of(tx, draft.subject)
    same = [each for each in others if _is_again(each, draft)]
    if same:
        return same[0]
    _require_room(draft, others, limits)
    artifact = replace(
        draft,
        id=ArtifactId(tx.new_id("A")),
        upload_until=tx.now + limits.upload_within,
    )
    store.add(tx, artifact)
    return artifact


def _is_again(known: Artifact, draft: Artifact) -> bool:
    """Whether the same is put again, as a worker does that got no answer."""
    return known.state is not ArtifactState.EXPIRED and (
        known.attempt,
        known.name,
        known.size_bytes,
        known.sha256,
        known.is_partial,
    ) == (draft.attempt, draft.name, draft.size_bytes, draft.sha256, draft.is_partial)


def _require_room(draft: Artifact, others: Sequence[Artifact], limits: Limits) -> None:
    if draft.size_bytes > limits.each_bytes:
        raise TooLarge(
            f"{draft.name} has {_mb(draft.size_bytes)} MB, an artifact at most"
            f" {_mb(limits.each_bytes)} MB",
            fix=["compress it, or keep it elsewhere and put a link"],
            limit_bytes=limits.each_bytes,
        )
    used = sum(each.size_bytes for each in others if not _gives_way(each, draft))
    if used + draft.size_bytes > limits.total_bytes:
        raise TooLarge(
            f"all artifacts of {draft.subject} have at most {limits.total_bytes}"
            f" bytes, and {used} are used",
            fix=[f"artifact list {draft.subject}"],
            limit_bytes=limits.total_bytes,
        )
    if len(others) >= MOST_ARTIFACTS:
        raise Conflict(
            f"{draft.subject} has {MOST_ARTIFACTS} artifacts already",
            fix=["put them into one archive"],
        )


def _mb(size_bytes: int) -> str:
    """Write a size in megabytes, as exactly as it takes to tell two of them apart."""
    return f"{size_bytes / 1_000_000:.6f}".rstrip("0").rstrip(".")


def _gives_way(known: Artifact, draft: Artifact) -> bool:
    """Whether what is there uses no room, or none once the new one is there."""
    is_older = (known.attempt, known.name) == (draft.attempt, draft.name)
    return known.state is ArtifactState.EXPIRED or is_older


def _make_ready(tx: Tx, artifact: Artifact, head: bytes) -> None:
    """Let an artifact be read, and whatever had its name be gone."""
    for other in store.list_of(tx, artifact.subject):
        has_name = (other.attempt, other.name) == (artifact.attempt, artifact.name)
        if has_name and other.id != artifact.id:
            store.delete(tx, other.id)
    is_whole = artifact.size_bytes <= PIECE_BYTES
    kind = settle_kind(artifact.kind, artifact.name, head, is_whole=is_whole)
    store.settle(tx, artifact, ArtifactState.READY, kind=kind)


def _require_waiting(tx: Tx, artifact_id: str) -> Artifact:
    artifact = get_(tx, artifact_id)
    if artifact.state is not ArtifactState.WAITING:
        raise Conflict(
            f"{artifact.id} is {artifact.state}, nothing is waited for",
            fix=["put it again"],
        )
    return artifact


def _pieces(content: bytes) -> Iterator[bytes]:
    for begin_at in range(0, len(content), PIECE_BYTES):
        yield content[begin_at : begin_at + PIECE_BYTES]
