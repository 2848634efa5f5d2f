"""Messages acknowledged before they are run, as they are listed and run again."""

from datetime import timedelta

import pytest

from core.database import Database, Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.delivery.received import Received, Wanted
from core.kernel.principal import Principal
from tests.conftest import FakeClock


def key_of(by: Principal, name: str, account: str = "W-1") -> InboxKey:
    return InboxKey(by.tenant, "webhook", account, "", name)


def receive(
    db: Database, by: Principal, name: str, *, outcome: str = "", account: str = "W-1"
) -> None:
    """Store a message; with an outcome it has ended so."""
    key = key_of(by, name, account)
    draft = InboxDraft(
        key=key,
        conversation="",
        reply_id=f"rp_{name}",
        request_id=f"rq_{name}",
        request_hash="",
        reply="",
        state=InboxState.RECEIVED,
        payload="{}",
    )
    db.run(lambda tx: tx.record(draft), by=by)
    if outcome:
        db.run(lambda tx: received.finish(tx, key, reply="{}", outcome=outcome), by=by)


def listed(db: Database, by: Principal, wanted: Wanted) -> list[str]:
    found = db.look(lambda tx: received.list_of(tx, "webhook", "W-1", wanted), by=by)
    return [each.request_id for each in found]


def find(db: Database, by: Principal, request_id: str) -> Received:
    found = db.look(lambda tx: received.find(tx, request_id), by=by)
    assert found is not None
    return found


@pytest.mark.parametrize("outcome", ["done", "skipped", "failed"])
def test_what_ended_in_one_way_is_listed_newest_first(
    db: Database, ann: Principal, outcome: str
) -> None:
    for number, each in enumerate(("done", "skipped", "failed") * 2):
        receive(db, ann, f"{each}-{number // 3}", outcome=each)
    receive(db, ann, "waiting")
    receive(db, ann, "elsewhere", outcome=outcome, account="W-2")

    assert listed(db, ann, Wanted(outcome=outcome)) == [
        f"rq_{outcome}-1",
        f"rq_{outcome}-0",
    ]
    assert listed(db, ann, Wanted(outcome="waiting")) == ["rq_waiting"]
    assert len(listed(db, ann, Wanted())) == 7


def test_time_includes_its_beginning_and_not_its_end(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    moments = []
    for name in ("a", "b", "c"):
        receive(db, ann, name, outcome="done")
        moments.append(clock.now())
        clock.advance(timedelta(hours=1))

    assert listed(db, ann, Wanted(since=moments[1])) == ["rq_c", "rq_b"]
    assert listed(db, ann, Wanted(until=moments[1])) == ["rq_a"]


def test_message_is_found_by_either_of_its_ids(db: Database, ann: Principal) -> None:
    receive(db, ann, "a", outcome="done")

    assert find(db, ann, "rq_a") == find(db, ann, "rp_a")
    assert db.look(lambda tx: received.find(tx, "rq_b"), by=ann) is None


def test_answer_is_stored_by_one_unit_only(db: Database, ann: Principal) -> None:
    receive(db, ann, "a", outcome="done")

    again = db.run(
        lambda tx: received.finish(
            tx, key_of(ann, "a"), reply='{"x":1}', outcome="failed"
        ),
        by=ann,
    )

    assert not again
    assert find(db, ann, "rq_a").reply == "{}"


def test_one_unit_of_a_batch_may_run_a_message_again(
    db: Database, ann: Principal
) -> None:
    """The second sees what the first one noted, before anything is committed."""
    receive(db, ann, "a", outcome="failed")

    def twice(tx: Tx) -> list[bool]:
        key = key_of(ann, "a")
        return [received.note_replayed(tx, key, as_=f"rq_{each}") for each in "bc"]

    assert db.run(twice, by=ann) == [True, False]
    assert find(db, ann, "rq_a").replayed_as == "rq_b"


def test_what_was_run_again_is_open_no_more(db: Database, ann: Principal) -> None:
    for name in ("a", "b"):
        receive(db, ann, name, outcome="failed")
    db.run(lambda tx: received.note_replayed(tx, key_of(ann, "a"), as_="rq_c"), by=ann)

    failed = Wanted(outcome="failed")
    found = db.look(lambda tx: received.list_open(tx, "webhook", "W-1", failed), by=ann)

    assert [each.request_id for each in found] == ["rq_b"]
    assert listed(db, ann, failed) == ["rq_b", "rq_a"]
