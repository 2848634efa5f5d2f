"""What the files show, when they are written, and what a crash leaves of them."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.events import service as events
from core.events.model import render_event_line
from core.identity.tenants import service as tenants
from core.kernel.principal import Principal, TenantId, system
from core.leases import service as leases
from gateway.mirror import Mirror
from gateway.mirror.layout import EVENTS
from gateway.mirror.record import Checkpoint, load_record, save_record
from tests.builders import a_task
from tests.unit.gateway.mirror.conftest import Board

STATES = ("state/tasks.json", "state/locks.json", "state/agents.json")


def table(board: Board, by: Principal) -> bytes:
    """Render the event table as the file should be."""
    told = board.db.look(lambda tx: events.list_after(tx, 0, limit=9_999), by=by)
    return b"".join(map(render_event_line, told))


def test_files_exist_when_nothing_was_done_yet(board: Board) -> None:
    """`M-LAY-04`."""
    board.follow()

    assert [(board.folder / name).read_bytes() for name in STATES] == [
        b'{"tasks":[]}', b'{"locks":[]}', b'{"agents":[]}',
    ]  # fmt: skip
    assert (board.folder / EVENTS).exists()
    assert (board.folder / "logs/log.md").exists()


def test_digest_of_each_file_is_the_one_in_its_tag(
    board: Board, ann: Principal
) -> None:
    """`M-COL-07`."""
    a_task(board.db, ann)
    board.db.run(lambda tx: leases.acquire(tx, "deploy"), by=ann)

    board.follow()

    assert board.digests() == board.truths()


def test_events_are_appended_in_their_order(board: Board, ann: Principal) -> None:
    board.follow()
    inode = (board.folder / EVENTS).stat().st_ino
    for title in ("one", "two", "three"):
        a_task(board.db, ann, title=title)
        board.follow()

    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert (board.folder / EVENTS).stat().st_ino == inode


def test_more_events_than_one_page_are_appended(board: Board, ann: Principal) -> None:
    for _ in range(25):
        board.db.run(
            lambda tx: [events.append(tx, "deploy_finished") for _ in range(100)],
            by=ann,
        )

    board.follow()

    assert (board.folder / EVENTS).read_bytes() == table(board, ann)


def test_unchanged_document_is_not_written_again(board: Board, ann: Principal) -> None:
    board.follow()
    before = (board.folder / "state/agents.json").stat()
    a_task(board.db, ann)
    board.follow()

    assert (board.folder / "state/agents.json").stat() == before


def test_each_tenant_has_a_folder_of_its_own(board: Board, ann: Principal) -> None:
    """`R-59`: nothing of one tenant is in another's files."""
    board.db.run(lambda tx: tenants.create(tx, "acme"), by=system())
    a_task(board.db, system(TenantId("acme"), name="bob"), title="Secret of acme")
    a_task(board.db, ann)

    board.follow()

    assert board.digests("acme") == board.truths("acme")
    assert b"Secret" in (board.folder / "tenants/acme/state/tasks.json").read_bytes()
    own = [path for path in board.folder.rglob("*.*") if "acme" not in path.parts]
    assert not any(b"Secret" in path.read_bytes() for path in own if path.is_file())


def test_tenant_without_anything_has_files_too(board: Board) -> None:
    """`M-LAY-04`."""
    board.db.run(lambda tx: tenants.create(tx, "acme"), by=system())

    board.follow()

    assert (board.folder / "tenants/acme" / EVENTS).read_bytes() == b""
    assert board.digests("acme") == board.truths("acme")


def test_removed_files_come_back(board: Board, ann: Principal) -> None:
    a_task(board.db, ann)
    board.follow()
    for name in (*STATES, EVENTS):
        (board.folder / name).unlink()

    board.follow()

    assert board.digests() == board.truths()
    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert board.told("mirror_drift") == []


def test_only_one_process_writes_a_folder(board: Board, ann: Principal) -> None:
    board.follow()
    other = Mirror(board.db, board.folder, board.clock)
    a_task(board.db, ann)

    assert not other.follow()
    board.mirror.close()
    assert other.follow(is_final=True)

    assert board.digests() == board.truths()
    other.close()


def test_crash_between_two_writes_is_no_drift(board: Board, ann: Principal) -> None:
    """A file that shows an older version of ours is simply brought up to date."""
    board.follow()
    a_task(board.db, ann)
    old = {name: (board.folder / name).read_bytes() for name in STATES}
    board.follow()
    for name, body in old.items():
        (board.folder / name).write_bytes(body)

    board.crash()
    board.follow()

    assert board.digests() == board.truths()
    assert board.told("mirror_drift") == []


@pytest.mark.parametrize("cut", [1, 40, 100])
def test_torn_last_line_is_repaired(board: Board, ann: Principal, cut: int) -> None:
    """`M-COL-08`: a crash in the middle of an append."""
    a_task(board.db, ann)
    board.follow()
    whole = (board.folder / EVENTS).read_bytes()
    board.db.run(
        lambda tx: events.append(tx, "deploy_finished", note="x" * 200), by=ann
    )
    line = table(board, ann)[len(whole) :]
    (board.folder / EVENTS).write_bytes(whole + line[:cut])

    board.crash()
    board.follow()

    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert board.told("mirror_drift") == []


def test_lines_behind_the_record_are_kept(board: Board, ann: Principal) -> None:
    """A crash after an append and before the record that tells of it."""
    a_task(board.db, ann)
    board.follow()
    record = board.folder / "mirror.json"
    inode = (board.folder / EVENTS).stat().st_ino

    known = load_record(record)
    known.checkpoint = Checkpoint()
    save_record(record, known)
    board.crash()
    board.follow()

    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert (board.folder / EVENTS).stat().st_ino == inode


def test_failed_write_leaves_the_old_file(
    board: Board, ann: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`M-COL-08`, `R-45`: the disk refuses, nothing is torn, and it recovers by itself."""
    board.follow()
    before = board.digests()
    a_task(board.db, ann)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("os.fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            board.follow()
        assert board.digests() == before
        assert not list(board.folder.rglob("*.new"))
    board.follow()

    assert board.digests() == board.truths()
    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert board.told("mirror_drift") == []


@contextmanager
def no_file_beyond(size_bytes: int) -> Iterator[None]:
    """Have the system cut every write that goes further, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_append_that_fails_in_a_line_leaves_none_of_it(
    board: Board, ann: Principal
) -> None:
    """`R-45`: the disk takes 40 bytes of the next line and no more."""
    for _ in range(30):
        board.db.run(lambda tx: events.append(tx, "deployed", log="x" * 2_000), by=ann)
    board.follow()
    before = (board.folder / EVENTS).read_bytes()
    board.db.run(lambda tx: events.append(tx, "deployed", log="y" * 2_000), by=ann)

    with no_file_beyond(len(before) + 40), pytest.raises(OSError, match="too large"):
        board.follow()
    assert (board.folder / EVENTS).read_bytes() == before
    board.follow()

    assert (board.folder / EVENTS).read_bytes() == table(board, ann)
    assert board.told("mirror_drift") == []


def test_costly_document_waits_and_is_not_forgotten(
    board: Board, ann: Principal
) -> None:
    """At most one rewrite in fifty times its own cost."""
    board.elapsed.step = 0.02
    a_task(board.db, ann)
    board.follow()
    before = board.digest("state/tasks.json")
    a_task(board.db, ann)

    board.mirror.follow()
    assert board.digest("state/tasks.json") == before
    board.elapsed.seconds += 0.9
    board.mirror.follow()

    assert board.digests() == board.truths()


def test_last_round_waits_for_no_pause(board: Board, ann: Principal) -> None:
    board.elapsed.step = 0.02
    a_task(board.db, ann)
    board.follow()
    a_task(board.db, ann)

    board.mirror.follow(is_final=True)

    assert board.digests() == board.truths()


def test_one_broken_folder_does_not_stop_the_others(
    board: Board, ann: Principal, tmp_path: Path
) -> None:
    board.db.run(lambda tx: tenants.create(tx, "acme"), by=system())
    (board.folder / "tenants").mkdir(parents=True)
    (board.folder / "tenants" / "acme").write_text("in the way")
    a_task(board.db, ann)

    with pytest.raises(OSError):
        board.follow()

    assert board.digests() == board.truths()
