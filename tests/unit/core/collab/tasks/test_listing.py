"""Tasks are listed by filters, in pages, and counted."""

from datetime import timedelta

import pytest

from core.collab import tasks
from core.collab.tasks import Status, TaskFilter
from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import Principal
from core.kernel.problems import (
    InvalidArgument,
    InvalidQuery,
)
from tests.builders import a_task
from tests.conftest import FakeClock


def listed(db: Database, by: Principal, wanted: TaskFilter) -> list[str]:
    page = db.look(lambda tx: tasks.list_(tx, wanted), by=by)
    return [task.id for task in page.items]


def test_filters_narrow_the_list(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    a_task(db, ann, lane=Lane.A, labels=["web"], assignee="bob")
    clock.advance(timedelta(hours=1))
    later = clock.now()
    a_task(db, ann, labels=["web-2", '100%"'])
    a_task(db, bob, status=Status.REVIEW)

    assert listed(db, ann, TaskFilter()) == ["T-3", "T-2", "T-1"]
    assert listed(db, ann, TaskFilter(statuses=frozenset({Status.REVIEW}))) == ["T-3"]
    assert listed(db, ann, TaskFilter(assignee="bob")) == ["T-3", "T-1"]
    assert listed(db, ann, TaskFilter(lane=Lane.A)) == ["T-1"]
    assert listed(db, ann, TaskFilter(label="WEB")) == ["T-1"]
    assert listed(db, ann, TaskFilter(label='100%"')) == ["T-2"]
    assert listed(db, ann, TaskFilter(label="1%")) == []
    assert listed(db, ann, TaskFilter(since=later)) == ["T-3", "T-2"]
    assert listed(db, ann, TaskFilter(until=later)) == ["T-1"]


def test_pages_are_stable_while_tasks_are_created(db: Database, ann: Principal) -> None:
    for _ in range(5):
        a_task(db, ann)

    first = db.look(lambda tx: tasks.list_(tx, limit=3), by=ann)
    a_task(db, ann)
    rest = db.look(lambda tx: tasks.list_(tx, limit=3, cursor=first.next or ""), by=ann)

    assert [task.id for task in (*first.items, *rest.items)] == [
        "T-5",
        "T-4",
        "T-3",
        "T-2",
        "T-1",
    ]
    assert rest.next is None


def test_a_foreign_cursor_is_refused(db: Database, ann: Principal) -> None:
    with pytest.raises(InvalidQuery):
        db.look(lambda tx: tasks.list_(tx, cursor="T-3"), by=ann)


@pytest.mark.parametrize(
    "wanted", [TaskFilter(assignee="\0"), TaskFilter(label="\ud800")]
)
def test_a_filter_that_no_text_can_match_is_refused(
    db: Database, ann: Principal, wanted: TaskFilter
) -> None:
    """R-52."""
    with pytest.raises(InvalidArgument):
        listed(db, ann, wanted)


def test_tasks_are_counted_by_where_they_stand(db: Database, ann: Principal) -> None:
    for status in (Status.QUEUED, Status.QUEUED, Status.REVIEW):
        a_task(db, ann, status=status)

    counts = db.look(tasks.count_by_status, by=ann)
    assert {status: n for status, n in counts.items() if n} == {
        Status.QUEUED: 2,
        Status.REVIEW: 1,
    }
