"""Who is given which run, and when (M-RUN-02, M-RUN-04, M-RUN-13)."""

from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Forbidden, InvalidArgument
from core.runs import claims
from core.runs.lanes import service as lanes
from core.runs.model import RunStatus
from core.runs.workers import service as workers
from tests.conftest import FakeClock
from tests.queues import MINE, SECOND, Queue, lanes_of


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def test_claim_gives_a_run_once(queue: Queue, clock: FakeClock) -> None:
    """`M-RUN-04`: with the next fence, the next attempt and a lease."""
    made = queue.create()

    (run,) = queue.claim(lease=20 * SECOND)

    assert run == queue.get(made)
    assert (run.id, run.status, run.worker) == (made.id, RunStatus.CLAIMED, "w1")
    assert (run.fence, run.attempt) == (1, 1)
    assert run.heartbeat_at == clock.now()
    assert run.lease_expires_at == clock.now() + 20 * SECOND
    assert queue.claim() == []
    assert queue.told(run.id) == ["run_queued", "run_claimed"]


def test_order_is_priority_then_age(queue: Queue, clock: FakeClock) -> None:
    ids = {}
    for name, priority in (("old", 0), ("first", 5), ("low", -5), ("young", 0)):
        ids[name] = queue.create(priority=priority).id
        clock.advance(SECOND)

    given = [queue.claim(limit=1)[0].id for _ in ids]

    assert given == [ids[name] for name in ("first", "old", "young", "low")]


def test_limit_is_kept_and_checked(queue: Queue) -> None:
    for _ in range(5):
        queue.create()

    assert len(queue.claim(limit=3)) == 3
    for limit in (0, 65):
        with pytest.raises(InvalidArgument, match="at once"):
            queue.claim(limit=limit)
    with pytest.raises(InvalidArgument, match="cannot last"):
        queue.claim(lease=timedelta(days=1))


def test_worker_needs_all_labels_of_a_run(queue: Queue) -> None:
    queue.create(labels=frozenset({"gpu", "os=linux"}))

    assert queue.claim() == []
    assert queue.claim(labels=frozenset({"gpu"})) == []
    assert queue.claim(labels=frozenset({"gp", "u", "os", "linux"})) == []
    assert len(queue.claim(labels=frozenset({"gpu", "os=linux", "big"}))) == 1


def test_runs_that_a_worker_cannot_take_keep_nothing_from_it(queue: Queue) -> None:
    """However many stand in front, of labels that it lacks or of a key in use."""
    for _ in range(70):
        queue.create(labels=frozenset({"gpu"}), priority=9)
    for _ in range(70):
        queue.create(concurrency_key="deploy", priority=8)
    plain = queue.create()

    assert len(queue.claim(limit=1)) == 1  # the first deploy
    assert [run.id for run in queue.claim(limit=1)] == [plain.id]


def test_kinds_and_manual_runs(queue: Queue) -> None:
    """Embedded workers never claim what waits for a worker from outside."""
    manual = queue.create(kind="manual")
    job = queue.create(kind="job.generate")

    assert queue.claim(takes_manual=False, kinds=frozenset({"job"})) == []
    given = queue.claim(takes_manual=False)
    assert [run.id for run in given] == [job.id]
    assert [run.id for run in queue.claim()] == [manual.id]


def test_lane_gives_out_no_more_than_it_has_room_for(queue: Queue) -> None:
    queue.do(lambda tx: lanes.set_(tx, Lane.B, concurrency=2))
    made = [queue.create(lane=Lane.B) for _ in range(4)]

    first = queue.claim()
    assert [run.id for run in first] == [run.id for run in made[:2]]
    assert queue.claim() == []
    queue.complete(first[0])
    assert [run.id for run in queue.claim()] == [made[2].id]


def test_worker_gets_runs_of_its_lanes_only(queue: Queue) -> None:
    for lane in Lane:
        queue.create(lane=lane)

    assert lanes_of(queue.claim(lanes=(Lane.B, Lane.D))) == [Lane.B, Lane.D]


def test_drained_and_closed_lanes_give_nothing(queue: Queue) -> None:
    queue.do(lambda tx: lanes.drain(tx, Lane.A))
    queue.do(lambda tx: lanes.set_(tx, Lane.C, concurrency=0))
    for lane in Lane:
        queue.create(lane=lane)

    assert lanes_of(queue.claim()) == [Lane.B, Lane.D]
    queue.do(lambda tx: lanes.open_(tx, Lane.A))
    assert lanes_of(queue.claim()) == [Lane.A]


def test_lanes_share_one_worker_by_weight(queue: Queue) -> None:
    """8 : 4 : 2 : 1, though it takes one run at a time; no lane starves."""
    for lane in Lane:
        for _ in range(40):
            queue.create(lane=lane)

    given = []
    for _ in range(30):
        (run,) = queue.claim(limit=1)
        given.append(run.lane)
        queue.complete(run)

    assert Counter(given) == {Lane.A: 16, Lane.B: 8, Lane.C: 4, Lane.D: 2}


def test_lanes_share_many_slots_by_weight(queue: Queue) -> None:
    for lane in Lane:
        for _ in range(40):
            queue.create(lane=lane)

    given = Counter(lanes_of(queue.claim(limit=30)))

    assert given == {Lane.A: 16, Lane.B: 8, Lane.C: 4, Lane.D: 2}


def test_idle_lane_saves_no_turns_up(queue: Queue) -> None:
    for _ in range(30):
        queue.create(lane=Lane.A)
    for run in queue.claim(limit=30):
        queue.complete(run)
    for lane in (Lane.A, Lane.D):
        for _ in range(20):
            queue.create(lane=lane)

    given = []
    for _ in range(18):
        (run,) = queue.claim(limit=1)
        given.append(run.lane)
        queue.complete(run)

    assert Counter(given)[Lane.D] == 2


def test_key_is_held_by_no_more_than_its_limit(queue: Queue) -> None:
    """Also among the runs of one claim, and across lanes."""
    for lane in (Lane.A, Lane.B, Lane.C):
        for _ in range(2):
            queue.create(lane=lane, concurrency_key="deploy", concurrency_limit=2)
    other = queue.create(lane=Lane.D, concurrency_key="other")

    first = queue.claim()
    assert len(first) == 3
    assert other.id in {run.id for run in first}
    assert queue.claim() == []
    queue.complete(first[0])
    assert len(queue.claim()) == 1


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_key_stays_in_use_while_a_worker_holds_the_run(queue: Queue, verb: str) -> None:
    run = queue.running(concurrency_key="deploy")
    queue.create(concurrency_key="deploy")

    getattr(queue, verb)(run)
    assert queue.claim() == []

    if verb == "cancel":
        queue.complete(run)
    else:
        queue.hand_back(run)
    assert len(queue.claim()) == 1


def test_run_is_given_at_its_time(queue: Queue, clock: FakeClock) -> None:
    """Whether or not a sweep has come by."""
    run = queue.create(starts_at=clock.now() + 60 * SECOND)
    assert run.status is RunStatus.SCHEDULED
    assert queue.claim() == []

    clock.advance(60 * SECOND)

    assert [each.id for each in queue.claim()] == [run.id]
    assert queue.told(run.id) == ["run_queued", "run_queued", "run_claimed"]


def test_draining_worker_gets_nothing(queue: Queue) -> None:
    queue.create()
    held = queue.claim(limit=1)[0]
    queue.create()

    queue.do(lambda tx: workers.drain(tx, "w1"))
    assert queue.claim() == []
    assert not queue.beat(held).cancel
    queue.do(lambda tx: workers.resume(tx, "w1"))
    assert len(queue.claim()) == 1


def test_worker_is_known_from_its_first_claim_on(queue: Queue) -> None:
    queue.claim(host="embedded", lanes=(Lane.B,), labels=frozenset({"gpu"}))

    known = queue.do(lambda tx: workers.get_(tx, "w1"))
    assert (known.host, known.lanes, known.labels) == (
        "embedded",
        (Lane.B,),
        frozenset({"gpu"}),
    )
    assert known.owner_id == "ann"
    assert queue.told("w1") == ["worker_online"]


def test_nobody_claims_in_the_name_of_somebody_elses_worker(
    queue: Queue, db: Database, bob: Principal
) -> None:
    queue.claim()

    with pytest.raises(Forbidden, match="registered by somebody else"):
        Queue(db, bob).claim()


def test_claim_of_one_run_succeeds_once(queue: Queue) -> None:
    """A message that is delivered again finds the run taken."""
    run = queue.create()
    queue.create(priority=9)

    first = queue.do(lambda tx: claims.claim_one(tx, run.id, MINE))
    again = queue.do(lambda tx: claims.claim_one(tx, run.id, MINE))

    assert first is not None
    assert (first.id, first.status) == (run.id, RunStatus.CLAIMED)
    assert again is None
    for other in ("R-99", "T-1", "'"):
        assert queue.do(partial(claims.claim_one, run_id=other, wanted=MINE)) is None


def test_claim_of_one_run_keeps_all_limits(queue: Queue) -> None:
    queue.do(lambda tx: lanes.set_(tx, Lane.B, concurrency=1))
    queue.running(lane=Lane.B)
    queue.running(concurrency_key="deploy")
    blocked = [
        queue.create(lane=Lane.B),
        queue.create(concurrency_key="deploy"),
        queue.create(labels=frozenset({"gpu"})),
        queue.pause(queue.create()),
    ]

    for run in blocked:
        given = queue.do(partial(claims.claim_one, run_id=run.id, wanted=MINE))
        assert given is None


def test_tenants_share_nothing(db: Database, queue: Queue) -> None:
    """`R-59`: neither runs nor workers nor what is held."""
    other = Queue(db, system(TenantId("acme"), name="carol"))
    mine, theirs = queue.create(concurrency_key="k"), other.create(concurrency_key="k")

    assert [run.id for run in queue.claim()] == [mine.id]
    assert [run.id for run in other.claim()] == [theirs.id]
    assert queue.claim() == other.claim() == []
