"""Tasks are created, read, listed and edited."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.collab import tasks
from core.collab.tasks import Status, Task, TaskFields, TaskFilter, view
from core.database import Database
from core.events import service as events
from core.kernel.etag import digest, entity_tag
from core.kernel.jsons import canonical_json
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    InvalidQuery,
    NotFound,
    StaleVersion,
)
from tests.builders import a_task, moved
from tests.conftest import FakeClock


def changed(
    db: Database, by: Principal, task: Task, if_match: str = "", **fields: object
) -> Task:
    given_fields: TaskFields = fields  # type: ignore[assignment]
    return db.run(
        lambda tx: tasks.change(tx, task.id, if_match=if_match, **given_fields), by=by
    )


def listed(db: Database, by: Principal, wanted: TaskFilter) -> list[str]:
    page = db.look(lambda tx: tasks.list_(tx, wanted), by=by)
    return [task.id for task in page.items]


def test_a_new_task_is_queued_and_shows_what_it_was_given(
    db: Database, ann: Principal
) -> None:
    """M-COL-03."""
    task = a_task(
        db, ann, title="Fix login", body="It loops.", lane=Lane.B, priority=3,
        labels=["Web", "login"], dod=["tests", "docs"], assignee="bob",
    )

    assert task == db.look(lambda tx: tasks.get_(tx, "T-1"), by=ann)
    assert view(task) == {
        "id": "T-1",
        "external_key": "",
        "title": "Fix login",
        "body": "It loops.",
        "status": "queued",
        "reason": "",
        "blocked_from": "",
        "assignee": "bob",
        "implementer": "",
        "priority": 3,
        "lane": "B",
        "labels": ["web", "login"],
        "needs": [],
        "dod": [{"text": "tests", "is_done": False}, {"text": "docs", "is_done": False}],
        "notes": [],
        "created_at": "2026-11-04T09:00:00.000000Z",
        "created_by": "ann",
        "updated_at": "2026-11-04T09:00:00.000000Z",
        "updated_by": "ann",
        "version": 1,
    }


def test_the_etag_is_the_version_and_the_digest_of_the_view(
    db: Database, ann: Principal
) -> None:
    """M-COL-07."""
    task = a_task(db, ann)

    assert task.etag == entity_tag(1, digest(canonical_json(view(task))))


def test_a_chosen_id_is_kept_and_ours_go_on_after_it(db: Database, ann: Principal) -> None:
    """M-COL-03: the client may supply the id."""
    chosen = db.run(lambda tx: tasks.create(tx, task_id="T-41", title="Theirs"), by=ann)

    assert chosen.id == "T-41"
    assert a_task(db, ann).id == "T-42"
    with pytest.raises(AlreadyExists):
        db.run(lambda tx: tasks.create(tx, task_id="T-41", title="Again"), by=ann)


@pytest.mark.parametrize("task_id", ["T-0", "t-1", "R-1", "12", "T-01", "T-9999999999999"])
def test_an_id_of_another_form_is_refused(
    db: Database, ann: Principal, task_id: str
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: tasks.create(tx, task_id=task_id, title="x"), by=ann)


def test_an_external_key_names_one_task(db: Database, ann: Principal) -> None:
    task = db.run(lambda tx: tasks.create(tx, external_key="TDS-7", title="x"), by=ann)

    with pytest.raises(AlreadyExists) as refusal:
        db.run(lambda tx: tasks.create(tx, external_key="TDS-7", title="y"), by=ann)

    assert refusal.value.extra["id"] == task.id
    assert db.look(lambda tx: tasks.find_by_key(tx, "TDS-7"), by=ann) == task


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""}, {"title": "  "}, {"title": "a\nb"}, {"title": "x" * 201},
        {"title": "x", "body": "\0"}, {"title": "x", "priority": 101},
        {"title": "x", "labels": [""]}, {"title": "x", "needs": ["R-1"]},
        {"title": "x", "dod": [str(n) for n in range(51)]},
    ],
)
def test_fields_that_do_not_fit_are_refused(
    db: Database, ann: Principal, fields: TaskFields
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: tasks.create(tx, **fields), by=ann)


def test_an_unknown_need_is_refused(db: Database, ann: Principal) -> None:
    with pytest.raises(NotFound):
        a_task(db, ann, needs=["T-9"])

    task = a_task(db, ann)
    with pytest.raises(NotFound):
        changed(db, ann, task, needs=["T-9"])


def test_a_circle_of_needs_is_refused(db: Database, ann: Principal) -> None:
    """M-COL-09."""
    first = a_task(db, ann)
    second = a_task(db, ann, needs=[first.id])
    third = a_task(db, ann, needs=[second.id])

    for closing in (first, second, third):
        with pytest.raises(Conflict):
            changed(db, ann, first, needs=[closing.id])


def test_needs_stay_unmet_until_they_are_done(db: Database, ann: Principal) -> None:
    first = a_task(db, ann, status=Status.MERGING)
    second = a_task(db, ann, needs=[first.id])

    def unmet() -> tuple[str, ...]:
        return db.look(lambda tx: tasks.unmet_needs(tx, second), by=ann)

    assert unmet() == (first.id,)
    moved(db, ann, first.id, Status.DONE)
    assert unmet() == ()


def test_a_change_raises_the_version_and_tells_what_it_changed(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    """M-COL-04."""
    task = a_task(db, ann)
    clock.advance(timedelta(seconds=5))

    after = changed(db, bob, task, if_match=task.etag, title="Fix logout")

    assert (after.version, after.updated_by, after.updated_at) == (2, "bob", clock.now())
    assert after.etag != task.etag
    event = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)[0]
    assert (event.type, event.target, event.actor) == ("task_changed", "T-1", "bob")
    assert event.details == {"title": "Fix logout"}


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
        "etag": after.etag, "changed_by": "bob", "changed_fields": ["priority", "title"],
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


def test_a_ticked_line_survives_an_edit_of_the_list(db: Database, ann: Principal) -> None:
    """M-COL-09."""
    task = a_task(db, ann, dod=["tests", "docs"])
    db.run(lambda tx: tasks.tick_dod(tx, task.id, "tests"), by=ann)

    after = changed(db, ann, task, dod=["docs", "tests", "demo"])

    assert [(line.text, line.is_done) for line in after.dod] == [
        ("docs", False), ("tests", True), ("demo", False),
    ]


@pytest.mark.parametrize("which", [2, "docs"])
def test_a_line_is_ticked_by_its_place_or_text_and_can_be_unticked(
    db: Database, ann: Principal, which: int | str
) -> None:
    task = a_task(db, ann, dod=["tests", "docs"])

    ticked = db.run(lambda tx: tasks.tick_dod(tx, task.id, which), by=ann)
    unticked = db.run(lambda tx: tasks.tick_dod(tx, task.id, which, is_done=False), by=ann)

    assert ticked.open_dod == ("tests",)
    assert unticked.open_dod == ("tests", "docs")


@pytest.mark.parametrize("which", [0, 3, -1, "demo"])
def test_a_line_that_is_not_there_is_not_found(
    db: Database, ann: Principal, which: int | str
) -> None:
    task = a_task(db, ann, dod=["tests", "docs"])

    with pytest.raises(NotFound):
        db.run(lambda tx: tasks.tick_dod(tx, task.id, which), by=ann)


def test_notes_are_appended_with_their_author(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    task = a_task(db, ann)
    db.run(lambda tx: tasks.add_note(tx, task.id, "first"), by=ann)
    clock.advance(timedelta(seconds=1))

    after = db.run(lambda tx: tasks.add_note(tx, task.id, "second"), by=bob)

    assert [(note.by, note.text) for note in after.notes] == [
        ("ann", "first"), ("bob", "second"),
    ]
    assert after.notes[1].at == clock.now()
    event = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)[0]
    assert (event.type, event.details) == ("note_added", {"text": "second"})


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
        "T-5", "T-4", "T-3", "T-2", "T-1",
    ]
    assert rest.next is None


def test_a_foreign_cursor_is_refused(db: Database, ann: Principal) -> None:
    with pytest.raises(InvalidQuery):
        db.look(lambda tx: tasks.list_(tx, cursor="T-3"), by=ann)


def test_another_tenants_task_does_not_exist(db: Database, ann: Principal) -> None:
    """R-59."""
    eve = system(TenantId("other"), name="eve")
    task = a_task(db, ann)

    with pytest.raises(NotFound):
        db.look(lambda tx: tasks.get_(tx, task.id), by=eve)
    with pytest.raises(NotFound):
        changed(db, eve, task, title="mine")
    with pytest.raises(NotFound):
        a_task(db, eve, needs=[task.id])
    assert listed(db, eve, TaskFilter()) == []
    assert a_task(db, eve).id == task.id


def test_a_refused_creation_takes_no_number(db: Database, ann: Principal) -> None:
    with pytest.raises(InvalidArgument):
        a_task(db, ann, title="")

    assert a_task(db, ann).id == "T-1"


@pytest.mark.parametrize("text", ["T-1\0", "\ud800", "T-1' OR 1=1", "Ｔ-1", "T-1\n"])
def test_a_hostile_id_is_just_not_found(db: Database, ann: Principal, text: str) -> None:
    """R-52."""
    a_task(db, ann)

    with pytest.raises(NotFound):
        db.look(lambda tx: tasks.get_(tx, text), by=ann)


@pytest.mark.parametrize("wanted", [TaskFilter(assignee="\0"), TaskFilter(label="\ud800")])
def test_a_filter_that_no_text_can_match_is_refused(
    db: Database, ann: Principal, wanted: TaskFilter
) -> None:
    """R-52."""
    with pytest.raises(InvalidArgument):
        listed(db, ann, wanted)
