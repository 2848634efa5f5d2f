"""Why a run stands where it stands, and what would change that."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import and_, bindparam, literal_column, or_, select, tuple_

from core.database import Prepared, Tx
from core.kernel.clock import to_iso, to_micros
from core.kernel.ids import number_of
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.runs.lanes import figures
from core.runs.lanes import service as lanes
from core.runs.model import HELD as WORKED_ON
from core.runs.model import MANUAL, Run, RunStatus
from core.runs.steps import service as steps
from core.runs.tables import HELD, runs
from core.runs.workers import service as workers
from core.runs.workers.model import Worker, WorkerState

_TABLE = runs.c
_BY_KEY = Prepared(
    select(_TABLE.id)
    .where(
        _TABLE.tenant_id == bindparam("tenant"),
        literal_column(f"({HELD})"),
        _TABLE.concurrency_key == bindparam("key"),
    )
    .order_by(_TABLE.number)
)
_EARLIER = or_(
    _TABLE.precedence < bindparam("precedence"),
    and_(
        _TABLE.precedence == bindparam("precedence"),
        tuple_(_TABLE.available_at, _TABLE.number)
        < tuple_(bindparam("since"), bindparam("nth")),
    ),
)
_AHEAD = Prepared(
    select(_TABLE.kind, _TABLE.labels)
    .where(
        _TABLE.tenant_id == bindparam("tenant"),
        literal_column("status = 'queued'"),
        _TABLE.lane == bindparam("of_lane"),
        _EARLIER,
    )
    .limit(bindparam("most"))
)
_PAUSED = Prepared(
    select(_TABLE.id, _TABLE.worker)
    .where(
        _TABLE.tenant_id == bindparam("tenant"),
        literal_column(f"({HELD})"),
        literal_column("status = 'paused'"),
    )
    .order_by(_TABLE.number)
)
_MOST_AHEAD = 1_000
# Our own workers execute steps, and a manual run has none.
_OURS = frozenset({"embedded", "celery", "fleet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A reason: a code for machines, a sentence for people, lines that help."""

    code: str
    text: str
    fix: Sequence[str] = ()


def explain(tx: Tx, run: Run) -> Explanation:
    """Say why a run is not running, or at what it is."""
    if run.status is RunStatus.QUEUED:
        return _queued(tx, run)
    if run.status in WORKED_ON:
        return _held(tx, run)
    if run.status is RunStatus.CANCELLING:
        return Explanation(
            code="cancelling",
            text=f"Cancelling: {run.worker} has {_left(tx, run)} to stop",
            fix=[f"run show {run.id}"],
        )
    return _over(run) if run.is_terminal else _waiting(run)


def view(explanation: Explanation) -> dict[str, Json]:
    """Show an explanation as JSON."""
    return {
        "code": explanation.code,
        "text": explanation.text,
        "fix": [*explanation.fix],
    }


def _queued(tx: Tx, run: Run) -> Explanation:
    found = _lane(tx, run) or _key(tx, run)
    if found is not None:
        return found
    present = workers.list_present(tx)
    return _no_worker(run, present) or _turn(tx, run, present)


def _turn(tx: Tx, run: Run, present: Sequence[Worker]) -> Explanation:
    """Say who is ahead of it, and whether all who could take it are at work."""
    takers = _online(present, run.lane)
    able = [each for each in takers if _may_take(each, run.kind, run.labels)]
    ahead, held = _ahead(tx, run, takers), workers.holds(tx)
    if all(each.name in held for each in able):
        return _busy(tx, able, ahead)
    return Explanation(
        code="turn",
        text=f"Waiting for a worker: {ahead or 'none'} ahead of it in lane {run.lane}",
        fix=["worker list", "lane list"],
    )


def _busy(tx: Tx, able: Sequence[Worker], ahead: str) -> Explanation:
    """Say that its workers are at work; how many runs one takes is its own affair."""
    names = {each.name for each in able}
    paused = [run_id for run_id, worker in tx.run(_PAUSED) if worker in names]
    held = f"; one of them holds {paused[0]}, which is paused" if paused else ""
    others = f"; {ahead} ahead of it" if ahead else ""
    return Explanation(
        code="workers_busy",
        text=f"Waiting: its workers are busy{held}{others}",
        fix=[*(f"run resume {each}" for each in paused[:1]), "worker list"],
    )


def _ahead(tx: Tx, run: Run, takers: Sequence[Worker]) -> str:
    """Count what comes earlier and could be taken; "" for nothing."""
    rows = tx.run(
        _AHEAD,
        of_lane=run.lane.value,
        precedence=-run.priority,
        since=to_micros(run.available_at),
        nth=number_of(run.id, "R"),
        most=_MOST_AHEAD,
    )
    wishes = Counter((kind, labels) for kind, labels in rows)
    count = sum(
        times
        for (kind, labels), times in wishes.items()
        if any(_may_take(each, kind, orjson.loads(labels)) for each in takers)
    )
    most = "at least " if len(rows) >= _MOST_AHEAD else ""
    return f"{most}{count}" if count else ""


def _online(present: Sequence[Worker], lane: Lane) -> Sequence[Worker]:
    return [
        each
        for each in present
        if each.state is WorkerState.ONLINE and lane in (each.lanes or Lane)
    ]


def _may_take(worker: Worker, kind: str, labels: Iterable[str]) -> bool:
    """Tell whether a worker takes such runs, as far as it is known."""
    takes_kind = kind != MANUAL or worker.host not in _OURS
    return takes_kind and worker.labels.issuperset(labels)


def _lane(tx: Tx, run: Run) -> Explanation | None:
    rule = lanes.get_(tx, run.lane)
    if rule.is_draining:
        return Explanation(
            code="lane_drained",
            text=f"Waiting: lane {run.lane} is drained",
            fix=[f"lane open {run.lane}"],
        )
    if rule.concurrency == 0:
        return Explanation(
            code="lane_closed",
            text=f"Waiting: lane {run.lane} is closed",
            fix=[f"lane set {run.lane} --concurrency 8"],
        )
    held = figures.read(tx).held[run.lane]
    if held < rule.concurrency:
        return None
    return Explanation(
        code="lane_full",
        text=f"Waiting: lane {run.lane} full {held}/{rule.concurrency}",
        fix=[
            f"run list --lane {run.lane} --status running",
            f"lane set {run.lane} --concurrency {2 * rule.concurrency}",
        ],
    )


def _key(tx: Tx, run: Run) -> Explanation | None:
    if not run.concurrency_key:
        return None
    holders = [row[0] for row in tx.run(_BY_KEY, key=run.concurrency_key)]
    if len(holders) < run.concurrency_limit:
        return None
    return Explanation(
        code="concurrency_key",
        text=f"Waiting: {run.concurrency_key} is used by {', '.join(holders[:5])}",
        fix=[f"run show {holders[0]}"],
    )


def _no_worker(run: Run, present: Sequence[Worker]) -> Explanation | None:
    if not present:
        return Explanation(
            code="no_worker", text="Waiting: no worker is online", fix=["ops worker"]
        )
    present = [each for each in present if _may_take(each, run.kind, ())]
    if not present:
        return Explanation(
            code="no_worker_for_kind",
            text=f"Waiting: no worker online takes {run.kind} runs",
            fix=[f"run claim builder-1 --lanes {run.lane}", "worker list"],
        )
    in_lane = [each for each in present if run.lane in (each.lanes or Lane)]
    if not in_lane:
        return Explanation(
            code="no_worker_for_lane",
            text=f"Waiting: no worker online takes runs of lane {run.lane}",
            fix=[f"ops worker --lanes {run.lane}", "worker list"],
        )
    able = [each for each in in_lane if run.labels <= each.labels]
    if not able:
        wanted = ",".join(sorted(run.labels))
        return Explanation(
            code="no_worker_with_labels",
            text=f"Waiting: no worker online has all of {wanted}",
            fix=[f"ops worker --labels {wanted}", "worker list"],
        )
    if all(each.state is WorkerState.DRAINING for each in able):
        return Explanation(
            code="workers_draining",
            text="Waiting: all workers that could take it are draining",
            fix=[f"worker resume {able[0].name}"],
        )
    return None


def _held(tx: Tx, run: Run) -> Explanation:
    step = steps.find_running(tx, run)
    at = f" at the step {step.name}" if step else ""
    return Explanation(
        code=run.status.value,
        text=f"{_word(run.status)}: {run.worker} has it{at}, attempt {run.attempt}"
        f" of {run.retry.max_attempts}",
        fix=[f"run logs {run.id}", f"run cancel {run.id}"],
    )


def _over(run: Run) -> Explanation:
    detail = run.reason
    if run.error and (not detail or detail == run.error.code):
        detail = run.error.detail or detail
    word = _word(run.status)
    return Explanation(
        code=run.status.value,
        text=f"{word}: {detail}" if detail else word,
        fix=[f"run retry {run.id}"],
    )


def _waiting(run: Run) -> Explanation:
    if run.status is RunStatus.RETRY_WAIT:
        return _retry_wait(run)
    if run.status is RunStatus.SCHEDULED:
        return Explanation(
            code="scheduled",
            text=f"Waiting until {to_iso(run.available_at)}",
            fix=[f"run cancel {run.id}"],
        )
    if run.status is RunStatus.PAUSED:
        return Explanation(
            code="paused",
            text=f"Paused: {run.reason}" if run.reason else "Paused",
            fix=[f"run resume {run.id}"],
        )
    return Explanation(
        code="approval",
        text="Waiting: somebody has to approve it",
        fix=[f"run approve {run.id}", f"run cancel {run.id}"],
    )


def _retry_wait(run: Run) -> Explanation:
    return Explanation(
        code="retry_wait",
        text=f"Waiting until {to_iso(run.available_at)}: attempt {run.attempt} of"
        f" {run.retry.max_attempts} failed ({run.reason})",
        fix=[f"run logs {run.id}", f"run cancel {run.id}"],
    )


def _left(tx: Tx, run: Run) -> str:
    until = run.lease_expires_at or tx.now
    return f"{max(0, round((until - tx.now).total_seconds()))} s"


def _word(status: RunStatus) -> str:
    return status.value.replace("_", " ").capitalize()
