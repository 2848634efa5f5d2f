"""Has jobs follow their runs: what a worker did becomes the state of the job."""

from core.database import Tx
from core.events.model import Event, EventFilter
from core.jobs import progress
from core.jobs import service as jobs
from core.kernel.problems import NotFound
from core.runs import service as runs
from core.runs.model import Run, RunStatus

_WANTED = frozenset({"run_claimed", "run_succeeded", "run_failed", "run_cancelled"})


class JobResults:
    """The consumer that writes variants when a run has succeeded, each once.

    Shape:  only the run that a job names counts, and only while the job waits for it.
            The unit that writes the variants moves the cursor as well, and the index on
            their positions refuses a second set.
    """

    name = "job-results"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what begins and ends runs."""
        return EventFilter(types=_WANTED)

    def react(self, tx: Tx, event: Event) -> None:
        """Move the job of a run.

        Raises: NotFound when the run or its job is not kept any more.
        """
        run = runs.get_(tx, event.target)
        if not run.job:
            return
        job = jobs.get_(tx, run.job)
        if job.run_id != run.id:
            raise NotFound(f"a job that waits for {run.id}")
        # What counts is the run: anybody who may append events can name it in one.
        match run.status:
            case RunStatus.SUCCEEDED:
                progress.complete(tx, job, run)
            case RunStatus.CANCELLED:
                progress.abandon(tx, job, run.reason)
            case RunStatus.FAILED | RunStatus.TIMED_OUT:
                progress.fail(tx, job, _why(run))
            case _ if run.attempt:
                progress.begin(tx, job)


def _why(run: Run) -> str:
    if run.error is None:
        return run.reason or run.status.value
    return f"{run.error.code}: {run.error.detail}"
