"""A task's entity tag, and what If-Match makes of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.collab import tasks
from core.collab.tasks import Task, TaskFields, view
from core.database import Database
from core.events import service as events
from core.kernel.etag import digest, entity_tag
from core.kernel.jsons import canonical_json
from core.kernel.principal import Principal
from core.kernel.problems import (
    StaleVersion,
)
from tests.builders import a_task


def changed(
    db: Database, by: Principal, task: Task, if_match: str = "", **fields: object
) -> Task:
    given_fields: TaskFields = fields  # type: ignore[assignment]
    return db.run(
        lambda tx: tasks.change(tx, task.id, if_match=if_match, **given_fields), by=by
    )


def test_the_etag_is_the_version_and_the_digest_of_the_view(
    db: Database, ann: Principal
) -> None:
    """M-COL-07."""
    task = a_task(db, ann)

    assert task.etag == entity_tag(1, digest(canonical_json(view(task))))


def test_setting_equal_values_changes_nothing(db: Database, ann: Principal) -> None:
    task = a_task(db, ann, dod=["tests"])

    assert changed(db, ann, task, title=task.title, dod=["tests"]).etag == task.etag
    assert db.look(events.last_seq, by=ann) == 1


def test_a_stale_tag_is_refused_with_the_current_one_and_what_changed(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """M-COL-04, R-20."""
    task = a_task(db, ann)
    after = changed(db, bob, task, title="Fix logout", priority=7)

    with pytest.raises(StaleVersion) as refusal:
        changed(db, ann, task, if_match=task.etag, body="Hm.")

    assert refusal.value.extra == {
        "etag": after.etag,
        "changed_by": "bob",
        "changed_fields": ["priority", "title"],
    }


def test_if_match_takes_the_forms_of_the_standard(db: Database, ann: Principal) -> None:
    """R-20: lists, quotes and `*` match; weak and foreign tags do not."""
    task = a_task(db, ann)
    etag = task.etag

    for header in (etag, f'"{etag}"', f'"x", "{etag}"', "*"):
        assert changed(db, ann, task, if_match=header, title=task.title) == task
    for header in (f'W/"{etag}"', '"x"', "1", "0-" + "0" * 64):
        with pytest.raises(StaleVersion):
            changed(db, ann, task, if_match=header, title="y")


def test_the_tag_of_the_collection_is_as_good_while_nothing_changed(
    db: Database, ann: Principal
) -> None:
    """M-COL-04: the collection's ETag is compared by its version."""
    first, second = a_task(db, ann), a_task(db, ann)
    collection = entity_tag(db.look(lambda tx: tx.version("tasks"), by=ann), "0" * 64)

    changed(db, ann, first, if_match=collection, title="y")

    with pytest.raises(StaleVersion):
        changed(db, ann, second, if_match=collection, title="z")


def test_of_changes_at_once_none_that_was_accepted_is_lost(
    db: Database, ann: Principal
) -> None:
    """M-COL-11, R-21: ten writers count up one number, each with If-Match."""
    task = a_task(db, ann)

    def count(_: int) -> int:
        seen = db.look(lambda tx: tasks.get_(tx, task.id), by=ann)
        try:
            changed(db, ann, seen, if_match=seen.etag, priority=seen.priority + 1)
        except StaleVersion:
            return 0
        return 1

    with ThreadPoolExecutor(10) as pool:
        accepted = sum(pool.map(count, range(60)))

    after = db.look(lambda tx: tasks.get_(tx, task.id), by=ann)
    assert after.priority == accepted == after.version - 1
