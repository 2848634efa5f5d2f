"""Jobs: asked for once, made by one run, and ended one way."""

from functools import partial

import pytest

from core.database import Database
from core.events import service as events
from core.events.model import Event, EventFilter
from core.jobs import progress
from core.jobs import service as jobs
from core.jobs.model import (
    KIND,
    MOVES,
    STEP,
    TERMINAL,
    Format,
    JobFilter,
    JobStatus,
    NewJob,
)
from core.jobs.presets import service as presets
from core.jobs.presets.model import Preset
from core.jobs.tools import service as tools
from core.jobs.tools.model import Tool
from core.jobs.variants import service as variants
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import (
    Conflict,
    IllegalMove,
    InvalidArgument,
    KeyReused,
    NotFound,
    StaleVersion,
)
from core.runs import controls
from core.runs import service as runs
from core.runs.model import ReplyTo, RunStatus
from core.runs.reports import Outcome
from tests.jobs import (
    a_job,
    a_reviewed_job,
    claim_for,
    fail_for_good,
    finish,
    follow,
    result_of,
)

OTHER = system(TenantId("other"))
OFFERED = {
    "name": "search-docs",
    "description": "",
    "kind": "function",
    "parameters": {"type": "object", "properties": {}},
}


def told(db: Database, by: Principal, target: str) -> list[Event]:
    wanted = EventFilter(targets=frozenset({target}))
    return list(db.run(lambda tx: events.list_last(tx, wanted, limit=50), by=by))


def test_a_job_is_queued_with_its_run(db: Database, ann: Principal) -> None:
    """M-JOB-01, M-JOB-11: both or neither, in one unit."""
    where = ReplyTo(channel="slack", account="T1", place={"channel": "C1"})
    new = NewJob(title="Notes", lane=Lane.A, reply_to=where)

    job = db.run(lambda tx: jobs.create(tx, new), by=ann)

    run = db.run(lambda tx: runs.get_(tx, job.run_id), by=ann)
    assert (job.id, job.status, job.actor) == ("J-1", JobStatus.QUEUED, "ann")
    assert (run.kind, run.job, run.lane, run.reply_to) == (KIND, "J-1", Lane.A, where)
    assert run.status is RunStatus.QUEUED
    assert [each.type for each in told(db, ann, job.id)] == ["job_created"]


def test_a_run_makes_the_variants(db: Database, ann: Principal) -> None:
    """M-JOB-11."""
    job = a_job(db, ann)
    held = db.run(lambda tx: claim_for(tx, job), by=ann)
    assert follow(db, ann, job).status is JobStatus.RUNNING

    written = result_of("one", "two", "three", cost_micros=100)
    finish(db, ann, job, Outcome(status="succeeded", result=written), run=held)

    assert follow(db, ann, job).status is JobStatus.REVIEW
    made = db.run(lambda tx: variants.list_(tx, job.id), by=ann)
    assert [(each.id, each.body, each.score) for each in made] == [
        ("V-1", "one", 51),
        ("V-2", "two", 52),
        ("V-3", "three", 53),
    ]
    assert [each.cost_micros for each in made] == [34, 33, 33]
    kinds = [each.type for each in told(db, ann, job.id)]
    assert kinds == ["job_created", "job_started", "job_completed"]
    assert told(db, ann, job.id)[-1].details["variants"] == ["V-1", "V-2", "V-3"]


def test_variants_are_written_once(db: Database, ann: Principal) -> None:
    job, made = a_reviewed_job(db, ann)

    again = db.run(
        lambda tx: progress.complete(tx, job, runs.get_(tx, job.run_id)), by=ann
    )

    assert again == job
    assert list(db.run(lambda tx: variants.list_(tx, job.id), by=ann)) == list(made)


@pytest.mark.parametrize(
    "result",
    [
        {},
        {STEP: None},
        {STEP: {"drafts": "none"}},
        {STEP: {"drafts": []}},
        {STEP: {"drafts": [1, None, {"body": 7}, {"body": "  "}]}},
        {STEP: {"drafts": [{"title": "long", "body": "x" * 100_001}]}},
    ],
)
def test_a_result_without_drafts_fails_the_job(
    db: Database, ann: Principal, result: dict[str, Json]
) -> None:
    """A worker from outside may report anything."""
    job = a_job(db, ann)
    finish(db, ann, job, Outcome(status="succeeded", result=result))

    failed = follow(db, ann, job)

    assert failed.status is JobStatus.FAILED
    assert failed.reason == "the run gave no variants"


def test_what_cannot_be_stored_is_replaced(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    draft: Json = {"title": "a\0b\nc", "body": "x\0y", "score": 1_000}
    told: Json = {"drafts": [draft], "format": "exe", "cost_micros": -5}
    finish(db, ann, job, Outcome(status="succeeded", result={STEP: told}))

    follow(db, ann, job)

    [made] = db.run(lambda tx: variants.list_(tx, job.id), by=ann)
    assert (made.title, made.body) == ("a\ufffdb c", "x\ufffdy")
    assert (made.score, made.format, made.cost_micros) == (100, Format.MD, 0)


def test_a_failed_run_fails_the_job(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    fail_for_good(db, ann, job, "no paper")

    failed = follow(db, ann, job)

    assert failed.status is JobStatus.FAILED
    assert failed.finished_at is not None
    assert told(db, ann, job.id)[-1].type == "job_failed"


def test_the_same_key_of_a_person_gives_the_same_job(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """M-JOB-03."""
    new = NewJob(title="Notes", preset="changelog", idempotency_key="k-1")

    first = db.run(lambda tx: jobs.create(tx, new), by=ann)
    again = db.run(lambda tx: jobs.create(tx, new), by=ann)
    other = db.run(lambda tx: jobs.create(tx, new), by=bob)

    assert again == first
    assert other.id != first.id
    assert db.run(runs.count_active, by=ann) == 2


@pytest.mark.parametrize(
    "new",
    [
        NewJob(title="Other", preset="changelog", idempotency_key="k-1"),
        NewJob(title="Notes", idempotency_key="k-1"),
        NewJob(
            title="Notes", preset="changelog", input={"x": 1}, idempotency_key="k-1"
        ),
    ],
)
def test_a_key_belongs_to_what_was_asked_first(
    db: Database, ann: Principal, new: NewJob
) -> None:
    first = NewJob(title="Notes", preset="changelog", idempotency_key="k-1")
    db.run(lambda tx: jobs.create(tx, first), by=ann)

    with pytest.raises(KeyReused, match="J-1"):
        db.run(lambda tx: jobs.create(tx, new), by=ann)


def test_a_job_is_made_of_its_preset(db: Database, ann: Principal) -> None:
    """M-JOB-09: the preset's prompt, filled in; the job's input before its own."""
    db.run(lambda tx: tools.create(tx, Tool(name="search-docs")), by=ann)
    preset = Preset(
        name="weekly",
        prompt="{{ title }} for {{ input.who }}: {{ input.news }} {not this}",
        input={"who": "all", "news": []},
        variants=3,
        format=Format.TXT,
        tools=["search-docs"],
    )
    db.run(lambda tx: presets.create(tx, preset), by=ann)
    new = NewJob(title="News", preset="weekly", input={"news": ["{{ title }}", 1]})

    job = db.run(lambda tx: jobs.create(tx, new), by=ann)

    [step] = db.run(lambda tx: runs.get_(tx, job.run_id), by=ann).steps
    assert job.input == {"who": "all", "news": ["{{ title }}", 1]}
    assert step.given["prompt"] == 'News for all: ["{{ title }}",1] {not this}'
    assert (step.given["count"], step.given["format"]) == (3, "txt")
    assert step.given["tools"] == [OFFERED]


def test_a_job_wants_what_its_preset_asks_for(db: Database, ann: Principal) -> None:
    preset = Preset(name="weekly", prompt="For {{ input.who }}")
    db.run(lambda tx: presets.create(tx, preset), by=ann)

    with pytest.raises(InvalidArgument, match="wants who in the input") as refused:
        db.run(lambda tx: jobs.create(tx, NewJob(title="N", preset="weekly")), by=ann)

    assert refused.value.fix == ('--input {"who": "…"}',)
    assert db.run(runs.count_active, by=ann) == 0


def test_a_tool_that_is_off_begins_no_job(db: Database, ann: Principal) -> None:
    db.run(lambda tx: tools.create(tx, Tool(name="a-tool")), by=ann)
    preset = Preset(name="weekly", prompt="x", tools=["a-tool"])
    db.run(lambda tx: presets.create(tx, preset), by=ann)
    off = Tool(name="a-tool", is_enabled=False)
    db.run(lambda tx: tools.change(tx, off), by=ann)

    with pytest.raises(Conflict, match="switched off"):
        db.run(lambda tx: jobs.create(tx, NewJob(title="N", preset="weekly")), by=ann)


def test_a_cancelled_job_cancels_its_run(db: Database, ann: Principal) -> None:
    """M-JOB-10: a run that waits ends at once, one that is held when its worker hears."""
    waiting, working = a_job(db, ann), a_job(db, ann)
    db.run(lambda tx: claim_for(tx, working), by=ann)

    for each in (waiting, working):
        ended = db.run(partial(jobs.cancel, job_id=each.id, reason="no"), by=ann)
        assert (ended.status, ended.reason) == (JobStatus.CANCELLED, "no")

    states = [
        db.run(partial(runs.get_, run_id=each.run_id), by=ann).status
        for each in (waiting, working)
    ]
    assert states == [RunStatus.CANCELLED, RunStatus.CANCELLING]
    assert [each.type for each in told(db, ann, waiting.id)][-1] == "job_cancelled"


def test_a_cancelled_job_keeps_no_late_result(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    held = db.run(lambda tx: claim_for(tx, job), by=ann)
    db.run(lambda tx: jobs.cancel(tx, job.id), by=ann)

    finish(
        db, ann, job, Outcome(status="succeeded", result=result_of("late")), run=held
    )

    assert follow(db, ann, job).status is JobStatus.CANCELLED
    assert db.run(lambda tx: variants.list_(tx, job.id), by=ann) == []


def test_a_cancelled_run_cancels_its_job(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    db.run(lambda tx: controls.cancel(tx, job.run_id, reason="wrong"), by=ann)

    ended = follow(db, ann, job)

    assert (ended.status, ended.reason) == (JobStatus.CANCELLED, "wrong")


def test_what_is_over_cannot_be_cancelled(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    fail_for_good(db, ann, job, "no")
    follow(db, ann, job)

    with pytest.raises(IllegalMove, match="nothing left to cancel"):
        db.run(lambda tx: jobs.cancel(tx, job.id), by=ann)


def test_cancelling_twice_is_cancelling_once(db: Database, ann: Principal) -> None:
    job = a_job(db, ann)
    once = db.run(lambda tx: jobs.cancel(tx, job.id), by=ann)

    assert db.run(lambda tx: jobs.cancel(tx, job.id), by=ann) == once


def test_a_stale_tag_cancels_nothing(db: Database, ann: Principal) -> None:
    """M-JOB-02."""
    job = a_job(db, ann)
    db.run(lambda tx: claim_for(tx, job), by=ann)
    now = follow(db, ann, job)
    assert now.etag != job.etag

    with pytest.raises(StaleVersion) as refused:
        db.run(lambda tx: jobs.cancel(tx, job.id, if_match=job.etag), by=ann)
    assert refused.value.extra["etag"] == now.etag

    db.run(lambda tx: jobs.cancel(tx, job.id, if_match=now.etag), by=ann)


def test_lists_show_what_was_asked_for(
    db: Database, ann: Principal, bob: Principal
) -> None:
    for who, title, preset in (
        (ann, "a", ""),
        (bob, "b", "changelog"),
        (ann, "c", "changelog"),
    ):
        db.run(
            partial(jobs.create, new=NewJob(title=title, preset=preset)),
            by=who,
        )

    def titles(wanted: JobFilter) -> list[str]:
        page = db.run(lambda tx: jobs.list_(tx, wanted), by=ann)
        return [each.title for each in page.items]

    assert titles(JobFilter()) == ["c", "b", "a"]
    assert titles(JobFilter(preset="changelog")) == ["c", "b"]
    assert titles(JobFilter(actor="ann", preset="changelog")) == ["c"]
    assert titles(JobFilter(status=JobStatus.REVIEW)) == []


def test_pages_are_stable(db: Database, ann: Principal) -> None:
    for number in range(5):
        a_job(db, ann, title=str(number))

    first = db.run(lambda tx: jobs.list_(tx, limit=2), by=ann)
    a_job(db, ann, title="new")
    rest = db.run(lambda tx: jobs.list_(tx, limit=9, cursor=first.next or ""), by=ann)

    assert [each.title for each in (*first.items, *rest.items)] == list("43210")
    assert rest.next is None


def test_a_job_belongs_to_its_tenant_alone(db: Database, ann: Principal) -> None:
    """R-60: nothing of it is seen or done from elsewhere."""
    job, made = a_reviewed_job(db, ann)

    assert db.run(jobs.list_, by=OTHER).items == []
    for look in (
        lambda tx: jobs.get_(tx, job.id),
        lambda tx: jobs.cancel(tx, job.id),
        lambda tx: variants.list_(tx, job.id),
        lambda tx: variants.get_(tx, made[0].id),
        lambda tx: variants.accept(tx, made[0].id),
    ):
        with pytest.raises(NotFound):
            db.run(look, by=OTHER)


@pytest.mark.parametrize(
    "new",
    [
        NewJob(title=""),
        NewJob(title="two\nlines"),
        NewJob(title="x" * 201),
        NewJob(title="a\0b"),
        NewJob(title="N", description="x" * 10_001),
        NewJob(title="N", variants=9),
        NewJob(title="N", variants=-1),
        NewJob(title="N", input={"x": "y" * 70_000}),
        NewJob(title="N", idempotency_key="x" * 201),
    ],
)
def test_what_could_not_be_kept_is_refused(
    db: Database, ann: Principal, new: NewJob
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: jobs.create(tx, new), by=ann)


def test_a_preset_that_is_not_there_is_named(db: Database, ann: Principal) -> None:
    with pytest.raises(NotFound, match="the preset nope"):
        db.run(lambda tx: jobs.create(tx, NewJob(title="N", preset="nope")), by=ann)


def test_every_state_is_reached_and_left_as_the_table_says() -> None:
    assert set(MOVES) == set(JobStatus)
    assert {JobStatus.EXPORTED, JobStatus.FAILED, JobStatus.CANCELLED} == TERMINAL
    assert {to for next_ in MOVES.values() for to in next_} == set(JobStatus) - {
        JobStatus.QUEUED
    }


def test_three_jobs_at_once_do_not_mix(db: Database, ann: Principal) -> None:
    """M-JOB-12, in the core: each job gets its own run's texts."""
    made = [a_job(db, ann, title=title) for title in "abc"]
    held = [db.run(partial(claim_for, job=each), by=ann) for each in made]

    for job, run in reversed(list(zip(made, held, strict=True))):
        written = result_of(f"{job.title}1", f"{job.title}2")
        outcome = Outcome(status="succeeded", result=written)
        finish(db, ann, job, outcome, run=run)
        follow(db, ann, job)

    for job in made:
        texts = db.run(partial(variants.list_, job_id=job.id), by=ann)
        assert [each.body for each in texts] == [f"{job.title}1", f"{job.title}2"]
