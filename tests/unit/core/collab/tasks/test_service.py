"""Tasks are created, read and edited."""

from datetime import timedelta

import pytest

from core.collab import tasks
from core.collab.tasks import Status, Task, TaskFields, view
from core.database import Database
from core.events import service as events
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
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


def test_a_new_task_is_queued_and_shows_what_it_was_given(
    db: Database, ann: Principal
) -> None:
    """M-COL-03."""
    task = a_task(
        db,
        ann,
        title="Fix login",
        body="It loops.",
        lane=Lane.B,
        priority=3,
        labels=["Web", "login"],
        dod=["tests", "docs"],
        assignee="bob",
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
        "dod": [
            {"text": "tests", "is_done": False},
            {"text": "docs", "is_done": False},
        ],
        "notes": [],
        "created_at": "2026-11-04T09:00:00.000000Z",
        "created_by": "ann",
        "updated_at": "2026-11-04T09:00:00.000000Z",
        "updated_by": "ann",
        "version": 1,
    }


def test_a_chosen_id_is_kept_and_ours_go_on_after_it(
    db: Database, ann: Principal
) -> None:
    """M-COL-03: the client may supply the id."""
    chosen = db.run(lambda tx: tasks.create(tx, task_id="T-41", title="Theirs"), by=ann)

    assert chosen.id == "T-41"
    assert a_task(db, ann).id == "T-42"
    with pytest.raises(AlreadyExists):
        db.run(lambda tx: tasks.create(tx, task_id="T-41", title="Again"), by=ann)


@pytest.mark.parametrize(
    "task_id", ["T-0", "t-1", "R-1", "12", "T-01", "T-9999999999999"]
)
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
        {"title": ""},
        {"title": "  "},
        {"title": "a\nb"},
        {"title": "x" * 201},
        {"title": "x", "body": "\0"},
        {"title": "x", "priority": 101},
        {"title": "x", "labels": [""]},
        {"title": "x", "needs": ["R-1"]},
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

    assert (after.version, after.updated_by, after.updated_at) == (
        2,
        "bob",
        clock.now(),
    )
    assert after.etag != task.etag
    event = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)[0]
    assert (event.type, event.target, event.actor) == ("task_changed", "T-1", "bob")
    assert event.details == {"title": "Fix logout"}


def test_a_ticked_line_survives_an_edit_of_the_list(
    db: Database, ann: Principal
) -> None:
    """M-COL-09."""
    task = a_task(db, ann, dod=["tests", "docs"])
    db.run(lambda tx: tasks.tick_dod(tx, task.id, "tests"), by=ann)

    after = changed(db, ann, task, dod=["docs", "tests", "demo"])

    assert [(line.text, line.is_done) for line in after.dod] == [
        ("docs", False),
        ("tests", True),
        ("demo", False),
    ]


@pytest.mark.parametrize("which", [2, "docs"])
def test_a_line_is_ticked_by_its_place_or_text_and_can_be_unticked(
    db: Database, ann: Principal, which: int | str
) -> None:
    task = a_task(db, ann, dod=["tests", "docs"])

    ticked = db.run(lambda tx: tasks.tick_dod(tx, task.id, which), by=ann)
    unticked = db.run(
        lambda tx: tasks.tick_dod(tx, task.id, which, is_done=False), by=ann
    )

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
        ("ann", "first"),
        ("bob", "second"),
    ]
    assert after.notes[1].at == clock.now()
    event = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)[0]
    assert (event.type, event.details) == ("note_added", {"text": "second"})


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
    assert db.look(tasks.list_, by=eve).items == []
    assert a_task(db, eve).id == task.id


def test_a_refused_creation_takes_no_number(db: Database, ann: Principal) -> None:
    with pytest.raises(InvalidArgument):
        a_task(db, ann, title="")

    assert a_task(db, ann).id == "T-1"


@pytest.mark.parametrize("text", ["T-1\0", "\ud800", "T-1' OR 1=1", "Ｔ-1", "T-1\n"])
def test_a_hostile_id_is_just_not_found(
    db: Database, ann: Principal, text: str
) -> None:
    """R-52."""
    a_task(db, ann)

    with pytest.raises(NotFound):
        db.look(lambda tx: tasks.get_(tx, text), by=ann)
