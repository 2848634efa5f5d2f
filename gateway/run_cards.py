"""How runs and jobs are told of: as a card while they go on, and as news at their end."""

from collections.abc import Sequence

from commands import blocks
from commands.artifact_views import size
from commands.run_log_views import code_of, link_of
from commands.run_replies import actions_of, facts_of, progress_of, summary_of
from core.database import Tx
from core.events.model import Event
from core.jobs import service as jobs
from core.jobs.model import Job
from core.kernel.reply import SUMMARY_LIMIT, Actions, Block, Link, Progress, Reply
from core.runs.artifacts import service as artifacts
from core.runs.logs import service as logs
from core.runs.model import Run, RunStatus
from core.runs.steps import service as steps
from core.runs.steps.model import StepRow
from core.runs.views import view

ENDS = frozenset({"run_succeeded", "run_failed", "run_cancelled"})
JOB_ENDS = frozenset({"job_completed", "job_failed", "job_cancelled"})
LOST = "run_lost"

_MOST_LINKS = 8
_LAST_LINES = 12
_CARD_FACTS = frozenset({"state", "template", "lane", "worker", "attempt"})
_OVER = frozenset({"succeeded", "failed", "skipped", "cancelled"})
_SMALL = {
    "executor_started": "begins",
    "executor_succeeded": "is done",
    "executor_failed": "failed",
}


def run_card(tx: Tx, run: Run) -> Reply:
    """Show a run as it stands, for a message that is edited in place."""
    facts = [each for each in facts_of(run, tx.now) if each[0] in _CARD_FACTS]
    summary = summary_of(run)
    if run.job and (job := jobs.find(tx, run.job)):
        summary = f"{job.id} {job.title}: {summary}"
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        blocks=(*_progress(tx, run), blocks.fields(*facts), actions_of(run)),
        data=view(run),
    )


def run_end(tx: Tx, run: Run) -> Reply:
    """Say how a run ended: what it left behind, or where and why it failed."""
    is_good = run.status is RunStatus.SUCCEEDED
    shown = _left_behind(tx, run) if is_good else _what_failed(tx, run)
    return Reply(
        summary=summary_of(run),
        blocks=(*shown, _next_steps(run)),
        data=view(run),
    )


def run_lost(run: Run, event: Event) -> Reply:
    """Say that a run goes on with another worker, because its own fell silent."""
    attempt, most = event.details.get("attempt"), event.details.get("max_attempts")
    worker = event.details.get("worker")
    return Reply(
        summary=(
            f"{run.id} is stuck: its worker {worker} fell silent after attempt"
            f" {attempt} of {most}; it is tried again"
        )[:SUMMARY_LIMIT],
        blocks=(actions_of(run),),
        data=view(run),
    )


def job_end(job: Job, event: Event) -> Reply:
    """Say what became of a job, with what to do next."""
    show = ("Show", f"job show {job.id}")
    if event.type == "job_completed":
        found = event.details.get("variants")
        made = found if isinstance(found, list) else []
        summary = (
            f"{job.id} {job.title}: {blocks.count(len(made), 'variant')} to review"
        )
        offered = [
            show,
            *((f"Show {each}", f"variant show {each}") for each in made[:3]),
        ]
    else:
        word = "failed" if event.type == "job_failed" else "was cancelled"
        summary = f"{job.id} {job.title} {word}: {job.reason}".rstrip(": ")
        offered = [show, ("Logs", f"run logs {job.run_id}")]
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        blocks=(blocks.actions(*offered),),
        data=dict(job.shown),
    )


def words_of(event: Event) -> str:
    """Say in a few words what happened to a run or a job."""
    step = event.details.get("step", "")
    if event.type in _SMALL:
        return f"step {step} {_SMALL[event.type]}"
    if event.type == "run_progress":
        done, total = event.details.get("done", 0), event.details.get("total", 0)
        return f"{done} of {total} {event.details.get('note', '')}".rstrip()
    return event.type.replace("_", " ")


def _progress(tx: Tx, run: Run) -> Sequence[Block]:
    """Count the steps that are over; a run without any says itself how far it is."""
    if not run.steps:
        return progress_of(run)
    rows = steps.list_of(tx, run.id, run.attempt) if run.attempt else ()
    done = sum(1 for each in rows if each.status in _OVER)
    current = _current(run, rows)
    return [
        Progress(
            done=min(done, len(run.steps)),
            total=len(run.steps),
            steps=(current,) if current else (),
        )
    ]


def _current(run: Run, rows: Sequence[StepRow]) -> str:
    """Name the step that goes on, with what it says of itself."""
    going_on = [each.name for each in rows if each.status not in _OVER]
    if not going_on or run.is_terminal:
        return ""
    told = run.progress
    counted = f" {told.done}/{told.total}" if told.total else ""
    return f"{going_on[-1]}{counted} {told.note}".rstrip()


def _left_behind(tx: Tx, run: Run) -> Sequence[Block]:
    ready = [each for each in artifacts.list_of(tx, run.id) if each.is_ready]
    said = [(each.name, each.detail) for each in steps.list_of(tx, run.id, run.attempt)]
    told = [blocks.fields(*said)] if any(detail for _, detail in said) else []
    links = [
        Link(label=f"{each.name} ({size(each.size_bytes)})", url=f"/r/{each.id}")
        for each in ready[:_MOST_LINKS]
    ]
    if len(ready) > _MOST_LINKS:
        more = f"All {len(ready)} artifacts"
        links.append(Link(label=more, url=f"/r/{run.id}"))
    return [*told, *links]


def _what_failed(tx: Tx, run: Run) -> Sequence[Block]:
    step = run.error.step if run.error else ""
    page = logs.read(tx, run.id, tail=_LAST_LINES, step=step)
    facts = blocks.fields(
        ("step", step),
        ("error", f"{run.error.code}: {run.error.detail}" if run.error else ""),
        ("reason", run.reason),
        ("attempt", f"{run.attempt} of {run.retry.max_attempts}"),
    )
    if not page.lines:
        return (facts,)
    place = link_of(run.id, step=step, line=page.lines[-1].number)
    label = f"Log of {run.id} at line {page.lines[-1].number}"
    return (facts, code_of(page.lines), Link(label=label, url=place))


def _next_steps(run: Run) -> Actions:
    step = f" --step {run.error.step}" if run.error and run.error.step else ""
    offered = [("Logs", f"run logs {run.id}{step}"), ("Show", f"run show {run.id}")]
    if run.status is not RunStatus.SUCCEEDED:
        offered.insert(0, ("Retry", f"run retry {run.id}"))
    else:
        offered.insert(0, ("Artifacts", f"artifact list {run.id}"))
    return blocks.actions(*offered)
