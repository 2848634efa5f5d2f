"""Jobs as tests begin with them, and the work that runs do for them."""

from collections.abc import Mapping, Sequence

from core.database import Database, Tx
from core.jobs import progress
from core.jobs import service as jobs
from core.jobs.model import STEP, USES, Format, Job, NewJob
from core.jobs.variants import service as variants
from core.jobs.variants.model import Variant
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.providers.model import Draft, Generated, Request, view
from core.runs import calls, claims
from core.runs import service as runs
from core.runs.model import Run, RunError, RunStatus
from core.runs.reports import Outcome, Wanted

HAND = "hand"


def result_of(
    *bodies: str, cost_micros: int = 0, kind: Format = Format.MD
) -> Mapping[str, Json]:
    """What a worker reports of a provider that wrote these."""
    drafts = [
        Draft(title=f"Draft {at}", body=body, score=50 + at)
        for at, body in enumerate(bodies, 1)
    ]
    generated = Generated(
        provider="mock", model="mock-1", drafts=drafts, cost_micros=cost_micros
    )
    request = Request(title="Notes", prompt="Write", format=kind.value)
    return {STEP: view(generated, request)}


def a_job(db: Database, by: Principal, *, title: str = "Notes") -> Job:
    """Ask for something."""
    return db.run(lambda tx: jobs.create(tx, NewJob(title=title)), by=by)


def claim_for(tx: Tx, job: Job) -> Run:
    """Take the run of a job, as a worker does."""
    run = claims.claim_one(tx, job.run_id, Wanted(worker=HAND))
    assert run is not None
    assert [each.uses for each in run.steps] == [USES]
    return run


def finish(
    db: Database, by: Principal, job: Job, outcome: Outcome, *, run: Run | None = None
) -> Run:
    """Work on a job's run, and end it so."""

    def work(tx: Tx) -> Run:
        held = run or claim_for(tx, job)
        calls.beat(tx, held.id, fence=held.fence)
        return calls.complete(tx, held.id, fence=held.fence, outcome=outcome)

    return db.run(work, by=by)


def succeed(db: Database, by: Principal, job: Job, *bodies: str) -> Run:
    """Work on a job's run until it has written these."""
    written = result_of(*(bodies or ("one", "two")))
    return finish(db, by, job, Outcome(status="succeeded", result=written))


def fail_for_good(db: Database, by: Principal, job: Job, detail: str) -> Run:
    """Have a job's run fail as often as it may."""
    error = RunError(code="boom", detail=detail, step=STEP)
    return finish(db, by, job, Outcome(status="failed", error=error, is_final=True))


def follow(db: Database, by: Principal, job: Job) -> Job:
    """Have a job take note of what its run has come to."""

    def note(tx: Tx) -> Job:
        run = runs.get_(tx, job.run_id)
        now = jobs.get_(tx, job.id)
        match run.status:
            case RunStatus.SUCCEEDED:
                return progress.complete(tx, now, run)
            case RunStatus.CANCELLED:
                return progress.abandon(tx, now, run.reason)
            case RunStatus.FAILED | RunStatus.TIMED_OUT:
                return progress.fail(tx, now, run.reason)
            case RunStatus.CLAIMED | RunStatus.RUNNING:
                return progress.begin(tx, now)
        return now

    return db.run(note, by=by)


def a_reviewed_job(
    db: Database, by: Principal, *bodies: str, title: str = "Notes"
) -> tuple[Job, Sequence[Variant]]:
    """A job in review, with its variants."""
    job = a_job(db, by, title=title)
    succeed(db, by, job, *bodies)
    reviewed = follow(db, by, job)
    made = db.run(lambda tx: variants.list_(tx, job.id), by=by)
    return reviewed, made
