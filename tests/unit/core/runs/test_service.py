"""Runs are made, found and listed (M-RUN-03, M-RUN-20)."""

from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import InvalidArgument, InvalidQuery, KeyReused, NotFound
from core.runs import service
from core.runs.model import (
    Backoff,
    ReplyTo,
    RetryRule,
    RunFilter,
    RunStatus,
    Step,
)
from core.runs.views import view, view_steps
from tests.conftest import FakeClock
from tests.queues import SECOND, Queue, failed

STEP = Step(
    name="build",
    uses="shell",
    given={"argv": ["make", "all"]},
    needs=["fetch"],
    env={"CI": "1"},
    secrets={"TOKEN": "github"},
    artifacts=["dist/*"],
    timeout=90 * SECOND,
    tries=2,
    goes_on=True,
)


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def listed(queue: Queue, **fields: object) -> list[str]:
    wanted = RunFilter(**fields)  # type: ignore[arg-type]
    page = queue.db.look(lambda tx: service.list_(tx, wanted), by=queue.by)
    return [run.id for run in page.items]


def test_run_is_read_back_as_it_was_made(queue: Queue, clock: FakeClock) -> None:
    parent = queue.create()
    made = queue.create(
        kind="template",
        alias="nightly",
        template="deploy",
        template_version=3,
        job="J-1",
        task="T-1",
        parent=parent.id,
        lane=Lane.A,
        priority=7,
        input={"who": "bob\0", "deep": {"list": [1, None, 2.5]}},
        steps=[STEP],
        retry=RetryRule(max_attempts=5, backoff=Backoff.LINEAR, never=frozenset("x")),
        deadline=timedelta(hours=2),
        ttl=timedelta(hours=1),
        concurrency_key="deploy",
        concurrency_limit=2,
        labels=frozenset({"gpu"}),
        idempotency_key="k1",
        budget="b",
        reply_to=ReplyTo(channel="slack", account="T1", place={"channel": "C1"}),
    )

    read = queue.get(made)

    assert read == made
    assert made.deadline_at == clock.now() + timedelta(hours=2)
    assert view(read)["labels"] == ["gpu"]
    assert view_steps(read)[0] == {
        "name": "build",
        "uses": "shell",
        "given": {"argv": ["make", "all"]},
        "needs": ["fetch"],
        "env": {"CI": "1"},
        "secrets": {"TOKEN": "github"},
        "artifacts": ["dist/*"],
        "timeout_ms": 90_000,
        "tries": 2,
        "goes_on": True,
    }


def test_same_key_gives_the_run_that_there_is(
    queue: Queue, db: Database, bob: Principal
) -> None:
    """`R-03`: of the same person, and for the same work."""
    made = queue.create(idempotency_key="k", input={"a": 1, "b": 2})

    assert queue.create(idempotency_key="k", input={"b": 2, "a": 1}).id == made.id
    assert len(listed(queue)) == 1
    with pytest.raises(KeyReused, match="made R-1 of something else"):
        queue.create(idempotency_key="k", input={"a": 2})
    assert Queue(db, bob).create(idempotency_key="k").id == "R-2"
    stranger = Queue(db, system(TenantId("acme"), name="ann"))
    assert stranger.create(idempotency_key="k").id == "R-1"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": ""},
        {"kind": "a\nb"},
        {"alias": "x" * 201},
        {"labels": frozenset({"a|b"})},
        {"labels": frozenset(f"l{n}" for n in range(33))},
        {"priority": 1_001},
        {"concurrency_limit": 0},
        {"retry": RetryRule(max_attempts=0)},
        {"deadline": timedelta(0)},
        {"ttl": timedelta(days=366)},
        {"input": {"x": "y" * 300_000}},
        {"steps": [STEP] * 201},
    ],
)
def test_what_could_never_run_is_refused(
    queue: Queue, fields: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        queue.create(**fields)

    assert refused.value.fix


def test_unknown_runs_are_not_found(queue: Queue) -> None:
    with pytest.raises(NotFound):
        queue.create(parent="R-9")
    for run_id in ("R-1", "T-1", "r-1", "R-01", ""):
        with pytest.raises(NotFound):
            queue.db.look(partial(service.get_, run_id=run_id), by=queue.by)
        assert queue.db.look(partial(service.find, run_id=run_id), by=queue.by) is None


def test_list_comes_in_pages_the_newest_first(queue: Queue) -> None:
    for _ in range(5):
        queue.create()

    first = queue.do(lambda tx: service.list_(tx, limit=2))
    assert first.next is not None
    rest = queue.do(lambda tx: service.list_(tx, limit=4, cursor=first.next or ""))

    assert [run.id for run in (*first.items, *rest.items)] == [
        f"R-{number}" for number in (5, 4, 3, 2, 1)
    ]
    assert rest.next is None
    with pytest.raises(InvalidQuery):
        queue.do(lambda tx: service.list_(tx, cursor="nonsense"))


def test_list_is_filtered(queue: Queue, db: Database, clock: FakeClock) -> None:
    """`M-RUN-20`: status, lane, template, worker, dates, who asked, labels."""
    plain = queue.create()
    clock.advance(SECOND)
    held = queue.held(lane=Lane.A, template="deploy", labels=frozenset({"gpu"}))
    other = Queue(db, system(name="bob")).create(job="J-1", task="T-2", kind="manual")
    del plain, other

    assert listed(queue, statuses=frozenset({RunStatus.CLAIMED})) == ["R-2", "R-1"]
    assert listed(queue, statuses=frozenset({RunStatus.QUEUED})) == ["R-3"]
    assert listed(queue, lane=Lane.A) == ["R-2"]
    assert listed(queue, template="deploy") == ["R-2"]
    assert listed(queue, worker=held.worker) == ["R-2", "R-1"]
    assert listed(queue, actor="bob") == ["R-3"]
    assert listed(queue, label="gpu") == ["R-2"]
    assert listed(queue, job="J-1", task="T-2", kind="manual") == ["R-3"]
    assert listed(queue, until=clock.now() - SECOND) == ["R-1"]
    assert listed(queue, since=clock.now()) == ["R-3", "R-2"]
    assert listed(queue, parent="R-1") == []


def test_what_was_given_up_is_a_list_with_its_reasons(queue: Queue) -> None:
    """`R-25`: the dead-letter list."""
    dead = queue.complete(queue.held(), failed(is_final=True))
    queue.cancel(queue.create())

    assert listed(queue, is_dead=True) == [dead.id]
    assert listed(queue, is_dead=True, reason="exit_code") == [dead.id]
    assert listed(queue, is_dead=True, reason="lost") == []


def test_everything_that_is_not_over_counts_as_active(queue: Queue) -> None:
    def counted() -> tuple[int, int]:
        by_status = queue.do(service.count_by_status)
        return queue.do(service.count_active), by_status[RunStatus.SUCCEEDED]

    queue.complete(queue.held())
    queue.create(needs_approval=True)
    queue.pause(queue.create())
    queue.running()

    assert counted() == (3, 1)
