"""Create, get and list runs."""

from collections.abc import Mapping
from datetime import timedelta

from core.database import Tx
from core.kernel.ids import RunId, number_of
from core.kernel.jsons import canonical_json
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import InvalidArgument, KeyReused, NotFound
from core.kernel.texts import require_line
from core.runs import listing, store
from core.runs.changes import tell
from core.runs.model import NewRun, Run, RunFilter, RunStatus
from core.runs.workers.model import require_labels

EVERYTHING = RunFilter()
LONGEST_SPAN = timedelta(days=365)
MOST_ATTEMPTS = 100

_KIND_LIMIT = 100
_NAME_LIMIT = 200
_INPUT_BYTES = 262_144
_MOST_STEPS = 200
_MOST_PRIORITY = 1_000
_MOST_TOGETHER = 1_000


def create(tx: Tx, new: NewRun) -> Run:
    """Put a run where workers find it, now or once its time or its approval has come.

    Shape:  the same idempotency key of the same person gives the run that there is.
    Raises: KeyReused when that run was made of something else, InvalidArgument,
            NotFound for a parent that does not exist.
    """
    if new.idempotency_key and (known := _find_known(tx, new)):
        return known
    _check(new)
    if new.parent:
        get_(tx, new.parent)
    run = _made(tx, new)
    store.add(tx, run)
    tell(
        tx,
        "run_queued",
        run,
        status=run.status.value,
        kind=run.kind,
        lane=run.lane.value,
        **{
            name: value
            for name in ("template", "alias", "job", "task", "parent")
            if (value := getattr(run, name))
        },
    )
    return run


def get_(tx: Tx, run_id: str) -> Run:
    """Get a run.

    Raises: NotFound.
    """
    found = store.find(tx, run_id)
    if found is None:
        raise unknown(run_id)
    return found


def find(tx: Tx, run_id: str) -> Run | None:
    """Find a run."""
    return store.find(tx, run_id)


def list_(
    tx: Tx, wanted: RunFilter = EVERYTHING, *, limit: int = 50, cursor: str = ""
) -> Page[Run]:
    """List runs, the newest first.

    Raises: InvalidQuery.
    """
    size = page_size(limit)
    after = parse_cursor(cursor) if cursor else 0
    found = listing.list_before(tx, after, wanted, most=size + 1)
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], render_cursor(number_of(found[size - 1].id, "R") or 0))


def count_active(tx: Tx) -> int:
    """Count the runs that are not over, those that wait included."""
    return store.count_active(tx)


def count_by_status(tx: Tx) -> Mapping[RunStatus, int]:
    """Count the runs that are kept, by status."""
    return store.count_by_status(tx)


def unknown(run_id: str) -> NotFound:
    """Say that there is no such run."""
    return NotFound(f"the run {run_id[:40]}", fix=["run list"])


def _find_known(tx: Tx, new: NewRun) -> Run | None:
    require_line("idempotency_key", new.idempotency_key, limit=_NAME_LIMIT)
    known = store.find_by_key(tx, tx.principal.id, new.idempotency_key)
    if known is not None and not _is_same(known, new):
        raise KeyReused(
            f"the key {new.idempotency_key[:40]!r} has made {known.id} of something else",
            fix=["use another idempotency key", f"run show {known.id}"],
            run=known.id,
        )
    return known


def _is_same(run: Run, new: NewRun) -> bool:
    """Tell whether somebody wants what a run was made of.

    Its steps are left out: they come from the template, which may have changed.
    """
    names = ("kind", "template", "alias", "job", "task", "parent", "labels")
    return all(getattr(run, name) == getattr(new, name) for name in names) and (
        canonical_json(dict(run.input)) == canonical_json(dict(new.input))
    )


def _made(tx: Tx, new: NewRun) -> Run:
    starts_at = max(tx.now, new.starts_at or tx.now)
    return Run(
        id=RunId(tx.new_id("R")),
        kind=new.kind,
        alias=new.alias,
        template=new.template,
        template_version=new.template_version,
        job=new.job,
        task=new.task,
        parent=new.parent,
        lane=new.lane,
        priority=new.priority,
        status=_first_status(new, is_later=starts_at > tx.now),
        input=new.input,
        steps=new.steps,
        retry=new.retry,
        available_at=starts_at,
        deadline_at=tx.now + new.deadline if new.deadline else None,
        ttl_at=tx.now + new.ttl if new.ttl else None,
        concurrency_key=new.concurrency_key,
        concurrency_limit=new.concurrency_limit,
        labels=new.labels,
        idempotency_key=new.idempotency_key,
        budget=new.budget,
        actor_id=tx.principal.id,
        actor=tx.principal.name,
        reply_to=new.reply_to,
        needs_approval=new.needs_approval,
        created_at=tx.now,
    )


def _first_status(new: NewRun, *, is_later: bool) -> RunStatus:
    if new.needs_approval:
        return RunStatus.AWAITING_APPROVAL
    return RunStatus.SCHEDULED if is_later else RunStatus.QUEUED


def _check(new: NewRun) -> None:
    """Refuse what could never run, or could not be stored.

    Raises: InvalidArgument.
    """
    require_line("kind", new.kind, limit=_KIND_LIMIT)
    for name in ("alias", "template", "job", "task", "concurrency_key", "budget"):
        require_line(name, getattr(new, name), limit=_NAME_LIMIT, least=0)
    require_labels(new.labels)
    _check_numbers(new)
    for name in ("deadline", "ttl"):
        _check_span(name, getattr(new, name))
    written = canonical_json(dict(new.input))
    if len(written) > _INPUT_BYTES:
        raise InvalidArgument(
            f"the input has {len(written)} bytes",
            fix=[f"use at most {_INPUT_BYTES}, or an artifact"],
            argument="input",
        )


def _check_numbers(new: NewRun) -> None:
    bounds = (
        ("priority", new.priority, -_MOST_PRIORITY, _MOST_PRIORITY),
        ("concurrency_limit", new.concurrency_limit, 1, _MOST_TOGETHER),
        ("max_attempts", new.retry.max_attempts, 1, MOST_ATTEMPTS),
        ("steps", len(new.steps), 0, _MOST_STEPS),
    )
    for name, value, least, most in bounds:
        if not least <= value <= most:
            raise InvalidArgument(
                f"{name} cannot be {value}: it is {least} to {most}",
                fix=[f"use {least} to {most}"],
                argument=name,
            )


def _check_span(name: str, span: timedelta | None) -> None:
    if span is not None and not timedelta(0) < span <= LONGEST_SPAN:
        raise InvalidArgument(
            f"{name} cannot be {span.total_seconds():g} s",
            fix=["use more than nothing and at most a year"],
            argument=name,
        )
