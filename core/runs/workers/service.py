"""Register workers as they speak, drain them, and see who fell silent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from core.database import Tx
from core.events.service import append
from core.kernel.pages import Page, page_size
from core.kernel.problems import Forbidden, InvalidQuery
from core.runs.reports import Wanted
from core.runs.workers import store
from core.runs.workers.model import (
    COLLECTION,
    HEARD_EVERY,
    SILENT_AFTER,
    Worker,
    WorkerState,
    require_labels,
    require_worker_name,
    unknown,
)

_HOST = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_AT_ONCE = 100


def register(tx: Tx, wanted: Wanted) -> Worker:
    """Note that a worker asks for runs; one that is unknown becomes known.

    Shape:  what stayed the same is written every five seconds only.
    Raises: Forbidden when somebody else registered this name and it is not lost,
            InvalidArgument.
    """
    known = store.find(tx, wanted.worker)
    if known is None:
        return _add(tx, _described(tx, wanted))
    if known.owner_id != tx.principal.id and known.state is not WorkerState.LOST:
        raise not_yours(known.name)
    now = replace(_described(tx, wanted), created_at=known.created_at)
    if known.state is not WorkerState.LOST:
        now = replace(now, state=known.state)
    if replace(now, heartbeat_at=known.heartbeat_at) != known or _is_due(tx, known):
        store.save(tx, now)
        _tell_if_back(tx, known)
    return now


def heard(tx: Tx, name: str) -> None:
    """Note that a worker spoke about a run of its."""
    known = store.find(tx, name)
    if known is not None:
        back = WorkerState.ONLINE if known.state is WorkerState.LOST else known.state
        store.save(tx, replace(known, state=back, heartbeat_at=tx.now))
        _tell_if_back(tx, known)


def get_(tx: Tx, name: str) -> Worker:
    """Get a worker.

    Raises: NotFound.
    """
    found = store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx, *, limit: int = 50, cursor: str = "") -> Page[Worker]:
    """List the workers that were ever heard of, by name.

    Shape:  the cursor is the last name that was shown.
    """
    size = page_size(limit)
    if len(cursor) > 100 or not cursor.isprintable():
        raise InvalidQuery("this is not a cursor", fix=["leave the cursor out"])
    found = store.list_after(tx, cursor, most=size + 1)
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], found[size - 1].name)


def list_present(tx: Tx) -> Sequence[Worker]:
    """List the workers that are online or draining."""
    return store.list_present(tx)


def holds(tx: Tx) -> Mapping[str, Sequence[str]]:
    """List the ids of the runs that are held, by the name of the worker."""
    return store.list_holds(tx)


def drain(tx: Tx, name: str) -> Worker:
    """Have a worker get no further runs; what it holds goes on.

    Raises: NotFound.
    """
    return _switch(tx, get_(tx, name), WorkerState.DRAINING)


def resume(tx: Tx, name: str) -> Worker:
    """Have a draining worker get runs again.

    Raises: NotFound.
    """
    known = get_(tx, name)
    if known.state is WorkerState.LOST:
        return known
    return _switch(tx, known, WorkerState.ONLINE)


def has_silent(tx: Tx) -> bool:
    """Tell whether a worker has been silent for too long."""
    return bool(store.list_silent(tx, tx.now - SILENT_AFTER, most=1))


def sweep(tx: Tx) -> int:
    """Note which workers have been silent for too long; give their number."""
    silent = store.list_silent(tx, tx.now - SILENT_AFTER, most=_AT_ONCE)
    for worker in silent:
        _switch(tx, worker, WorkerState.LOST)
    return len(silent)


def forget(tx: Tx, after: timedelta) -> int:
    """Forget lost workers that have been silent for so long; give their number."""
    return store.forget_lost(tx, tx.now - after)


def not_yours(name: str) -> Forbidden:
    """Say that somebody else speaks for a worker."""
    return Forbidden(
        f"the worker {name} was registered by somebody else",
        fix=["give your worker another name", "use the key it was registered with"],
    )


def _add(tx: Tx, worker: Worker) -> Worker:
    store.add(tx, worker)
    _tell(tx, worker, "worker_online")
    return worker


def _described(tx: Tx, wanted: Wanted) -> Worker:
    return Worker(
        name=require_worker_name(wanted.worker),
        host=wanted.host if _HOST.fullmatch(wanted.host) else "external",
        state=WorkerState.ONLINE,
        lanes=tuple(sorted(set(wanted.lanes))),
        labels=require_labels(wanted.labels),
        owner_id=tx.principal.id,
        heartbeat_at=tx.now,
        created_at=tx.now,
    )


def _is_due(tx: Tx, known: Worker) -> bool:
    return tx.now - known.heartbeat_at >= HEARD_EVERY


def _tell_if_back(tx: Tx, known: Worker) -> None:
    if known.state is WorkerState.LOST:
        _tell(tx, known, "worker_online")


def _switch(tx: Tx, worker: Worker, state: WorkerState) -> Worker:
    if worker.state is state:
        return worker
    switched = replace(worker, state=state)
    store.save(tx, switched)
    _tell(tx, switched, f"worker_{state}")
    return switched


def _tell(tx: Tx, worker: Worker, event: str) -> None:
    tx.bump(COLLECTION)
    append(
        tx,
        event,
        target=worker.name,
        host=worker.host,
        lanes=[lane.value for lane in worker.lanes],
        labels=[*sorted(worker.labels)],
    )
