"""Queries over artifacts and their pieces."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, func, select

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import ArtifactId, number_of
from core.runs.artifacts.model import Artifact, ArtifactKind, ArtifactState
from core.runs.artifacts.tables import artifact_pieces, artifacts

_TABLE = artifacts.c
_PIECE = artifact_pieces.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_THIS = (_OWN, _TABLE.id == bindparam("of"))
_ITS_PIECES = (
    _PIECE.tenant_id == bindparam("tenant"),
    _PIECE.artifact_id == bindparam("of"),
)
_ALL = artifacts.select().with_only_columns(
    _TABLE.id,
    _TABLE.subject,
    _TABLE.attempt,
    _TABLE.name,
    _TABLE.kind,
    _TABLE.state,
    _TABLE.size_bytes,
    _TABLE.sha256,
    _TABLE.is_partial,
    _TABLE.upload_until,
    _TABLE.created_at,
)
_BY_ID = Prepared(_ALL.where(*_THIS))
_OF_SUBJECT = Prepared(
    _ALL.where(_OWN, _TABLE.subject == bindparam("of")).order_by(_TABLE.number)
)
_LATE = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.state == ArtifactState.WAITING.value,
        _TABLE.upload_until < bindparam("before"),
    )
    .order_by(_TABLE.upload_until)
    .limit(bindparam("most"))
)
_SETTLE = Prepared(
    artifacts.update()
    .where(*_THIS)
    .values(
        state=bindparam("new_state"),
        kind=bindparam("new_kind"),
        upload_until=bindparam("until"),
        version=_TABLE.version + 1,
    )
)
_DELETE = Prepared(artifacts.delete().where(*_THIS))
_READ = Prepared(
    artifact_pieces.select()
    .with_only_columns(_PIECE.content)
    .where(*_ITS_PIECES, _PIECE.seq == bindparam("which"))
)
_STORED = Prepared(
    select(func.count(), func.coalesce(func.sum(func.length(_PIECE.content)), 0)).where(
        and_(*_ITS_PIECES)
    )
)
_DELETE_PIECES = Prepared(artifact_pieces.delete().where(*_ITS_PIECES))


def add(tx: Tx, artifact: Artifact) -> None:
    """Store a new artifact."""
    until = artifact.upload_until
    tx.insert(
        artifacts,
        {
            "id": artifact.id,
            "number": number_of(artifact.id, "A"),
            "subject": artifact.subject,
            "attempt": artifact.attempt,
            "name": artifact.name,
            "kind": artifact.kind.value,
            "state": artifact.state.value,
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "is_partial": artifact.is_partial,
            "upload_until": to_micros(until) if until else None,
        },
    )


def find(tx: Tx, artifact_id: str) -> Artifact | None:
    """Find an artifact."""
    rows = tx.run(_BY_ID, of=artifact_id)
    return _to_artifact(rows[0]) if rows else None


def list_of(tx: Tx, subject: str) -> Sequence[Artifact]:
    """List what belongs to a run or an export, in the order it came."""
    return [_to_artifact(row) for row in tx.run(_OF_SUBJECT, of=subject)]


def list_late(tx: Tx, *, most: int) -> Sequence[Artifact]:
    """List what is waited for in vain."""
    return [_to_artifact(row) for row in tx.run(_LATE, before=tx.micros, most=most)]


def settle(
    tx: Tx,
    artifact: Artifact,
    state: ArtifactState,
    *,
    kind: ArtifactKind,
    until: datetime | None = None,
) -> None:
    """Store what has become of an artifact."""
    tx.change(
        _SETTLE,
        of=artifact.id,
        new_state=state.value,
        new_kind=kind.value,
        until=to_micros(until) if until else None,
    )


def delete(tx: Tx, artifact_id: str) -> None:
    """Forget an artifact and its content."""
    delete_pieces(tx, artifact_id)
    tx.change(_DELETE, of=artifact_id)


def add_piece(tx: Tx, artifact_id: str, seq: int, content: bytes) -> None:
    """Store a piece; the primary key lets no second one take its place."""
    tx.insert(
        artifact_pieces, {"artifact_id": artifact_id, "seq": seq, "content": content}
    )


def read_piece(tx: Tx, artifact_id: str, seq: int) -> bytes | None:
    """Read a piece; they count from 0."""
    rows = tx.run(_READ, of=artifact_id, which=seq)
    return bytes(rows[0][0]) if rows else None


def count_stored(tx: Tx, artifact_id: str) -> tuple[int, int]:
    """Count the pieces that are there, and their bytes."""
    ((pieces, size_bytes),) = tx.run(_STORED, of=artifact_id)
    return int(pieces), int(size_bytes)


def delete_pieces(tx: Tx, artifact_id: str) -> None:
    """Forget an artifact's content."""
    tx.change(_DELETE_PIECES, of=artifact_id)


def _to_artifact(row: Row) -> Artifact:
    (
        artifact_id,
        subject,
        attempt,
        name,
        kind,
        state,
        size_bytes,
        sha256,
        is_partial,
        upload_until,
        created_at,
    ) = row
    return Artifact(
        id=ArtifactId(artifact_id),
        subject=subject,
        attempt=attempt,
        name=name,
        kind=ArtifactKind(kind),
        state=ArtifactState(state),
        size_bytes=size_bytes,
        sha256=sha256,
        is_partial=bool(is_partial),
        upload_until=None if upload_until is None else from_micros(upload_until),
        created_at=from_micros(created_at),
    )
