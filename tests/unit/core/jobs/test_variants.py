"""Variants: edited while nothing is accepted, and one accepted per job."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.database import Database, Tx
from core.events import service as events
from core.events.model import EventFilter
from core.jobs import service as jobs
from core.jobs.exports import service as exports
from core.jobs.model import JobStatus
from core.jobs.variants import service as variants
from core.jobs.variants.model import Variant, VariantStatus
from core.jobs.variants.tables import variants as table
from core.kernel.principal import Principal
from core.kernel.problems import (
    Conflict,
    IllegalMove,
    InvalidArgument,
    NotFound,
    StaleVersion,
)
from tests.conftest import FakeClock
from tests.jobs import a_reviewed_job


def accept(db: Database, by: Principal, variant_id: str) -> Variant:
    return db.run(lambda tx: variants.accept(tx, variant_id), by=by)


def accepted_of(db: Database, by: Principal, job_id: str) -> list[str]:
    found = db.run(lambda tx: variants.list_(tx, job_id), by=by)
    return [each.id for each in found if each.is_accepted]


def status_of(db: Database, by: Principal, job_id: str) -> JobStatus:
    return db.run(lambda tx: jobs.get_(tx, job_id), by=by).status


def test_a_text_is_edited_in_review(
    db: Database, ann: Principal, bob: Principal, clock: FakeClock
) -> None:
    """M-JOB-04."""
    _, made = a_reviewed_job(db, ann)
    clock.advance(timedelta(minutes=1))

    edited = db.run(
        lambda tx: variants.edit(tx, "V-1", title="New", body="Other"), by=bob
    )

    assert (edited.title, edited.body, edited.version) == ("New", "Other", 2)
    assert (edited.edited_by, edited.edited_at) == ("bob", clock.now())
    assert edited.status is VariantStatus.EDITED
    assert edited.etag != made[0].etag
    assert edited == db.run(lambda tx: variants.get_(tx, "V-1"), by=ann)


def test_an_equal_text_changes_nothing(db: Database, ann: Principal) -> None:
    _, made = a_reviewed_job(db, ann)
    same = made[0]

    kept = db.run(lambda tx: variants.edit(tx, "V-1", body=same.body), by=ann)

    assert kept == same


@pytest.mark.parametrize(
    "texts",
    [
        {"title": ""},
        {"title": "a\nb"},
        {"title": "x" * 201},
        {"body": ""},
        {"body": "  \n"},
        {"body": "a\0b"},
        {"body": "x" * 100_001},
    ],
)
def test_what_could_not_be_kept_is_refused(
    db: Database, ann: Principal, texts: dict[str, str]
) -> None:
    a_reviewed_job(db, ann)

    with pytest.raises(InvalidArgument):
        db.run(lambda tx: variants.edit(tx, "V-1", **texts), by=ann)


def test_accepting_says_who_and_when(
    db: Database, ann: Principal, bob: Principal, clock: FakeClock
) -> None:
    """M-JOB-04."""
    a_reviewed_job(db, ann)

    chosen = accept(db, bob, "V-2")

    assert (chosen.accepted_by, chosen.accepted_at) == ("bob", clock.now())
    assert status_of(db, ann, "J-1") is JobStatus.ACCEPTED
    job = db.run(lambda tx: jobs.get_(tx, "J-1"), by=ann)
    assert job.accepted == "V-2"
    wanted = EventFilter(targets=frozenset({"V-2"}))
    [event] = db.run(lambda tx: events.list_last(tx, wanted), by=ann)
    assert (event.type, event.details["job"]) == ("variant_accepted", "J-1")


def test_accepting_another_moves_the_acceptance(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)
    accept(db, ann, "V-1")

    accept(db, ann, "V-2")

    assert accepted_of(db, ann, "J-1") == ["V-2"]
    assert status_of(db, ann, "J-1") is JobStatus.ACCEPTED


def test_accepting_twice_is_accepting_once(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)

    assert accept(db, ann, "V-1") == accept(db, ann, "V-1")


def test_the_database_itself_lets_no_second_one_be_accepted(
    db: Database, ann: Principal
) -> None:
    """Whatever a caller gets wrong: of one job at most one is accepted."""
    a_reviewed_job(db, ann)
    accept(db, ann, "V-1")

    def force(tx: Tx) -> None:
        tx.execute(
            table.update()
            .where(table.c.tenant_id == tx.tenant, table.c.id == "V-2")
            .values(accepted_at=1, accepted_by="eve")
        )

    with pytest.raises(IntegrityError):
        db.run(force, by=ann)


def test_taking_it_back_opens_the_review_again(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)
    accept(db, ann, "V-1")

    opened = db.run(lambda tx: variants.withdraw(tx, "V-1"), by=ann)

    assert (opened.accepted_by, opened.accepted_at) == ("", None)
    job = db.run(lambda tx: jobs.get_(tx, "J-1"), by=ann)
    assert (job.status, job.accepted) == (JobStatus.REVIEW, "")
    assert db.run(lambda tx: variants.withdraw(tx, "V-1"), by=ann) == opened


@pytest.mark.parametrize("target", ["V-1", "V-2"])
def test_texts_stay_once_one_is_accepted(
    db: Database, ann: Principal, target: str
) -> None:
    a_reviewed_job(db, ann)
    accept(db, ann, "V-1")

    with pytest.raises(Conflict, match="has an accepted variant") as refused:
        db.run(lambda tx: variants.edit(tx, target, body="sneaky"), by=ann)

    assert refused.value.fix[0] == "variant set V-1 --no-accepted"


def test_an_export_is_final(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)
    accept(db, ann, "V-1")
    db.run(lambda tx: exports.create(tx, "V-1"), by=ann)

    with pytest.raises(IllegalMove, match="was exported with V-1"):
        accept(db, ann, "V-2")
    with pytest.raises(IllegalMove):
        db.run(lambda tx: variants.withdraw(tx, "V-1"), by=ann)
    with pytest.raises(Conflict):
        db.run(lambda tx: variants.edit(tx, "V-2", body="late"), by=ann)


def test_a_cancelled_job_accepts_nothing(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)
    db.run(lambda tx: jobs.cancel(tx, "J-1"), by=ann)

    with pytest.raises(IllegalMove, match="is cancelled"):
        accept(db, ann, "V-1")
    with pytest.raises(Conflict):
        db.run(lambda tx: variants.edit(tx, "V-1", body="late"), by=ann)


def test_a_stale_tag_changes_nothing(db: Database, ann: Principal) -> None:
    _, made = a_reviewed_job(db, ann)
    old = made[0].etag
    db.run(lambda tx: variants.edit(tx, "V-1", body="new"), by=ann)

    for change in (
        lambda tx: variants.edit(tx, "V-1", body="newer", if_match=old),
        lambda tx: variants.accept(tx, "V-1", if_match=old),
        lambda tx: variants.withdraw(tx, "V-1", if_match=old),
    ):
        with pytest.raises(StaleVersion):
            db.run(change, by=ann)


@pytest.mark.parametrize("reference", ["V-9", "v-1", "J-1", "", "V-0", "V-1 "])
def test_what_is_no_variant_is_not_found(
    db: Database, ann: Principal, reference: str
) -> None:
    a_reviewed_job(db, ann)

    with pytest.raises(NotFound):
        db.run(lambda tx: variants.get_(tx, reference), by=ann)
