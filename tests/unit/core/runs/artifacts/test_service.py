"""Artifacts are there whole or not at all, and in their tenant alone."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from core.database import Database, Tx
from core.kernel.principal import TenantId, system
from core.kernel.problems import Conflict, InvalidArgument, NotFound, TooLarge
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import PIECE_BYTES, Artifact, ArtifactState, Limits
from tests.conftest import FakeClock

ACME, OTHER = system(TenantId("acme")), system(TenantId("other"))
BIG = bytes(range(256)) * 2_500  # 640,000 bytes: two whole pieces and a part
SMALL = Limits(each_bytes=1_000, total_bytes=1_500)


def put(db: Database, name: str, content: bytes, **more: Any) -> Artifact:
    given: dict[str, Any] = {
        "subject": "R-7",
        "kind": "file",
        "name": name,
        "content": content,
    }
    return db.run(lambda tx: artifacts.put(tx, **{**given, **more}), by=ACME)


def begin(db: Database, name: str, content: bytes, **more: Any) -> Artifact:
    announced: dict[str, Any] = {
        "subject": "R-7",
        "kind": "file",
        "name": name,
        "size_bytes": len(content),
        "sha256": sha256(content).hexdigest(),
    }
    return db.run(lambda tx: artifacts.begin(tx, **{**announced, **more}), by=ACME)


def send(db: Database, artifact: Artifact, content: bytes) -> None:
    for seq, at in enumerate(range(0, len(content), PIECE_BYTES)):
        piece = content[at : at + PIECE_BYTES]
        do(db, lambda tx, s=seq, p=piece: artifacts.add_piece(tx, artifact.id, s, p))


def do(db: Database, work: Callable[..., Any]) -> Any:
    return db.run(work, by=ACME)


def content_of(db: Database, artifact: Artifact) -> bytes:
    return db.run(lambda tx: b"".join(artifacts.read(tx, artifact)), by=ACME)


def listed(db: Database) -> list[tuple[str, str]]:
    found = do(db, lambda tx: artifacts.list_of(tx, "R-7"))
    return [(each.name, each.state.value) for each in found]


def test_a_content_is_put_at_once_with_its_digest(db: Database) -> None:
    """M-RUN-08."""
    made = put(db, "plan.md", b"# Plan", attempt=2, is_partial=True)

    assert (made.id, made.attempt, made.kind, made.state, made.is_partial) == (
        "A-1", 2, "markdown", "ready", True,
    )  # fmt: skip
    assert made.sha256 == sha256(b"# Plan").hexdigest()
    assert content_of(db, made) == b"# Plan"


@pytest.mark.parametrize("content", [b"", b"x", BIG, bytes(PIECE_BYTES)])
def test_a_content_comes_in_pieces_and_is_read_in_pieces(
    db: Database, content: bytes
) -> None:
    artifact = begin(db, "dump.bin", content)
    send(db, artifact, content)

    ready = do(db, lambda tx: artifacts.finish(tx, artifact.id))

    assert ready.is_ready
    assert content_of(db, ready) == content
    assert do(db, lambda tx: artifacts.finish(tx, artifact.id)) == ready


def test_what_is_not_what_was_announced_is_refused_and_waited_for(db: Database) -> None:
    """M-RUN-08: size and digest are checked before anybody can read it."""
    artifact = begin(db, "dump.bin", BIG)
    send(db, artifact, BIG[:-1] + b"!")

    with pytest.raises(InvalidArgument, match="is not what was announced"):
        do(db, lambda tx: artifacts.finish(tx, artifact.id))

    do(db, lambda tx: artifacts.drop(tx, artifact.id))
    assert do(db, lambda tx: artifacts.read_piece(tx, artifact.id, 0)) is None
    send(db, artifact, BIG)
    do(db, lambda tx: artifacts.finish(tx, artifact.id))
    assert content_of(db, artifact) == BIG


def test_a_content_that_is_short_is_no_content(db: Database) -> None:
    artifact = begin(db, "dump.bin", BIG)
    send(db, artifact, BIG[: 2 * PIECE_BYTES])

    with pytest.raises(InvalidArgument):
        do(db, lambda tx: artifacts.finish(tx, artifact.id))


def test_pieces_come_in_order_and_no_more_than_announced(db: Database) -> None:
    artifact = begin(db, "dump.bin", BIG)
    whole = bytes(PIECE_BYTES)

    for seq, piece in ((1, whole), (0, b"short")):
        with pytest.raises(Conflict):
            do(
                db,
                lambda tx, s=seq, p=piece: artifacts.add_piece(tx, artifact.id, s, p),
            )
    send(db, artifact, BIG)
    with pytest.raises((Conflict, TooLarge)):
        do(db, lambda tx: artifacts.add_piece(tx, artifact.id, 3, whole))


def test_an_upload_may_begin_again(db: Database) -> None:
    artifact = begin(db, "dump.bin", BIG)
    send(db, artifact, BIG[:PIECE_BYTES])

    do(db, lambda tx: artifacts.restart(tx, artifact.id))
    send(db, artifact, BIG)

    assert do(db, lambda tx: artifacts.finish(tx, artifact.id)).is_ready


def test_the_same_put_again_is_the_same_artifact(db: Database) -> None:
    """A worker that got no answer asks again; nothing is doubled."""
    first = put(db, "a.txt", b"one")

    assert put(db, "a.txt", b"one") == first
    assert begin(db, "a.txt", b"one") == first
    assert begin(db, "b.txt", b"two").id == begin(db, "b.txt", b"two").id


def test_a_name_put_again_replaces_what_was_there_once_it_is_whole(
    db: Database,
) -> None:
    old = put(db, "a.txt", b"one")
    new = begin(db, "a.txt", b"other")
    assert content_of(db, old) == b"one"

    send(db, new, b"other")
    do(db, lambda tx: artifacts.finish(tx, new.id))

    assert listed(db) == [("a.txt", "ready")]
    with pytest.raises(NotFound):
        do(db, lambda tx: artifacts.get_(tx, old.id))
    put(db, "a.txt", b"three", attempt=2)
    assert len(listed(db)) == 2


def test_there_is_a_limit_for_each_and_for_all(db: Database) -> None:
    put(db, "a", bytes(1_000), limits=SMALL)

    with pytest.raises(TooLarge, match=r"an artifact at most 0\.001 MB"):
        put(db, "b", bytes(1_001), limits=SMALL)
    with pytest.raises(TooLarge, match="all artifacts of R-7"):
        begin(db, "b", bytes(501), limits=SMALL)
    put(db, "a", bytes(999), limits=SMALL)  # makes room for itself
    put(db, "b", bytes(501), limits=SMALL)


def test_what_never_comes_is_swept(db: Database, clock: FakeClock) -> None:
    waited_for = begin(db, "late.bin", BIG)
    send(db, waited_for, BIG[:PIECE_BYTES])
    put(db, "a.txt", b"one")
    assert not do(db, artifacts.has_late)

    clock.advance(timedelta(minutes=16))

    assert do(db, artifacts.has_late)
    assert do(db, artifacts.sweep) == 1
    assert listed(db) == [("late.bin", "expired"), ("a.txt", "ready")]
    with pytest.raises(Conflict):
        do(db, lambda tx: artifacts.add_piece(tx, waited_for.id, 0, BIG[:PIECE_BYTES]))


def test_another_tenant_sees_nothing(db: Database) -> None:
    made = put(db, "a.txt", b"one")

    with pytest.raises(NotFound):
        db.run(lambda tx: artifacts.get_(tx, made.id), by=OTHER)
    assert not db.run(lambda tx: artifacts.list_of(tx, "R-7"), by=OTHER)
    assert db.run(lambda tx: artifacts.read_piece(tx, made.id, 0), by=OTHER) is None


def test_a_purge_forgets_all_of_a_run(db: Database) -> None:
    made = put(db, "a.txt", b"one")
    put(db, "x.txt", b"two", subject="X-1")

    do(db, lambda tx: artifacts.purge(tx, "R-7"))

    assert not listed(db)
    assert do(db, lambda tx: artifacts.read_piece(tx, made.id, 0)) is None
    assert len(do(db, lambda tx: artifacts.list_of(tx, "X-1"))) == 1


def test_a_view_says_where_the_content_is_once_it_is_there(db: Database) -> None:
    assert artifacts.view(put(db, "a", b"1"))["url"] == "/v1/artifacts/A-1/content"
    assert artifacts.view(begin(db, "b", BIG))["url"] == ""
    assert artifacts.view(begin(db, "b", BIG))["state"] == ArtifactState.WAITING


@pytest.mark.parametrize(
    "wrong", [{"kind": "exe"}, {"sha256": "x"}, {"size_bytes": -1}, {"name": "../a"}]
)
def test_what_is_announced_is_checked(db: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        begin(db, **{"name": "a", "content": b"1", **wrong})


def test_a_unit_that_fails_keeps_no_piece(db: Database) -> None:
    artifact = begin(db, "dump.bin", BIG)

    def work(tx: Tx) -> None:
        artifacts.add_piece(tx, artifact.id, 0, BIG[:PIECE_BYTES])
        raise Conflict("stop")

    with pytest.raises(Conflict):
        do(db, work)

    assert do(db, lambda tx: artifacts.read_piece(tx, artifact.id, 0)) is None
