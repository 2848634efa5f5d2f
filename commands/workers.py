"""Commands over workers: who takes runs, and what each of them holds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.render import quote
from commands.run_views import WorkerData, WorkerPageData
from commands.schema import Doc
from core.kernel.jsons import Json
from core.kernel.reply import Reply, Undo
from core.runs.workers import service as workers
from core.runs.workers.model import Worker, view

WorkerName = Annotated[str, Doc("What the worker calls itself.")]


@command(
    "worker list",
    scope="runs:read",
    http="GET /v1/workers",
    result=WorkerPageData,
    examples=["worker list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List workers by name, with what each holds."""
    page = workers.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No workers", ("How to write one", "help run claim"))
    held = workers.holds(ctx.tx)
    return Reply(
        summary=blocks.count(len(page.items), "worker"),
        blocks=(
            blocks.table(
                ("name", "host", "state", "lanes", "labels", "holds", "heard"),
                [_row(each, held, ctx.tx.now) for each in page.items],
                next=page.next,
            ),
        ),
        data={
            "items": [
                _shown(each, holds=held.get(each.name, ())) for each in page.items
            ],
            "next": page.next,
        },
    )


@command(
    "worker show",
    scope="runs:read",
    http="GET /v1/workers/{worker}",
    target="worker",
    result=WorkerData,
    examples=["worker show builder-1"],
)
def show(ctx: Context, worker: WorkerName) -> Reply:
    """Show a worker: where it runs, what it can take, what it holds."""
    found = workers.get_(ctx.tx, worker)
    return _one_of(ctx, found, f"{found.name} is {found.state}")


@command(
    "worker drain",
    scope="runs:admin",
    danger="write",
    http="POST /v1/workers/{worker}/drain",
    target="worker",
    result=WorkerData,
    examples=["worker drain builder-1"],
)
def drain(ctx: Context, worker: WorkerName) -> Reply:
    """Give a worker no further runs; what it holds goes on."""
    drained = workers.drain(ctx.tx, worker)
    reply = _one_of(ctx, drained, f"{drained.name} gets no further runs")
    return replace(reply, undo=_undo(ctx, "resume", drained))


@command(
    "worker resume",
    scope="runs:admin",
    danger="write",
    http="POST /v1/workers/{worker}/resume",
    target="worker",
    result=WorkerData,
    examples=["worker resume builder-1"],
)
def resume(ctx: Context, worker: WorkerName) -> Reply:
    """Give a worker runs again that was drained."""
    resumed = workers.resume(ctx.tx, worker)
    reply = _one_of(ctx, resumed, f"{resumed.name} is {resumed.state}")
    return replace(reply, undo=_undo(ctx, "drain", resumed))


COMMANDS: Sequence[Command] = (list_, show, drain, resume)


def _shown(worker: Worker, *, holds: Sequence[str]) -> dict[str, Json]:
    # Its name is its id: `#2` after a list, and what is shown next, go by it.
    return {"id": worker.name, **view(worker, holds=holds)}


def _row(
    worker: Worker, held: Mapping[str, Sequence[str]], now: datetime
) -> Sequence[object]:
    return (
        worker.name,
        worker.host,
        worker.state,
        " ".join(worker.lanes) or "all",
        " ".join(sorted(worker.labels)),
        " ".join(held.get(worker.name, ())),
        f"{blocks.age(worker.heartbeat_at, now)} ago",
    )


def _one_of(ctx: Context, worker: Worker, summary: str) -> Reply:
    held = workers.holds(ctx.tx).get(worker.name, ())
    verb = "resume" if worker.state == "draining" else "drain"
    return Reply(
        summary=summary[:150],
        blocks=(
            blocks.fields(
                ("state", worker.state),
                ("host", worker.host),
                ("lanes", " ".join(worker.lanes) or "all"),
                ("labels", " ".join(sorted(worker.labels))),
                ("holds", " ".join(held)),
                ("heard", f"{blocks.age(worker.heartbeat_at, ctx.tx.now)} ago"),
            ),
            blocks.actions((verb.capitalize(), f"worker {verb} {quote(worker.name)}")),
        ),
        data=_shown(worker, holds=held),
    )


def _undo(ctx: Context, verb: str, worker: Worker) -> Undo:
    return blocks.undo(ctx, f"worker {verb} {quote(worker.name)}")
