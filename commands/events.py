"""Commands over events: append one, look at the last, tell them to people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Person, Ref
from commands.views import EventAddedData, EventPageData, HumanLogData
from core.events import service as events
from core.events.model import Event, EventFilter, view
from core.kernel.pages import page_size, parse_cursor, render_cursor
from core.kernel.reply import Code, Reply, Text

_DAY = timedelta(hours=24)


@command(
    "event add",
    scope="events:write",
    danger="write",
    http="POST /collab/events",
    result=EventAddedData,
    examples=["event add deploy_finished --target web-1"],
)
def add(
    ctx: Context,
    event: Annotated[str, Doc("What happened, in past tense: deploy_finished.")],
    *,
    target: Annotated[str, Doc("What it happened to.")] = "",
    details: dict[str, Any] | None = None,
) -> Reply:
    """Append an event; nothing can change or remove it."""
    draft = events.report(ctx.tx, event, target=target, details=details)
    return Reply(
        summary=f"Noted {draft.type} {draft.target}".strip()[:150],
        data={"ok": True, "event": draft.type, "target": draft.target},
    )


@command(
    "event list",
    scope="events:read",
    http="GET /v1/events/list",
    result=EventPageData,
    examples=["event list --type task_created --limit 20"],
)
def list_(
    ctx: Context,
    *,
    task: Annotated[str, Ref("T")] = "",
    target: str = "",
    type: str = "",
    actor: Annotated[str, Person()] = "",
    channel: str = "",
    since: Annotated[datetime | None, Doc("At or after this moment.")] = None,
    limit: int = 25,
    cursor: Annotated[
        str, Doc("Where the last page ended; empty is the beginning.")
    ] = "",
) -> Reply:
    """List events in their order, from the beginning or from a cursor."""
    size = page_size(limit)
    after = parse_cursor(cursor) if cursor else 0
    if since is not None:
        after = max(after, events.seq_before(ctx.tx, since))
    wanted = _wanted(task or target, type, actor, channel)
    found = events.list_after(ctx.tx, after, wanted, limit=size)
    more = render_cursor(found[-1].seq) if len(found) == size else None
    return _shown(found, next_=more)


@command(
    "event tail",
    scope="events:read",
    result=EventPageData,
    examples=["event tail --task T-12"],
)
def tail(
    ctx: Context,
    *,
    task: Annotated[str, Ref("T")] = "",
    target: str = "",
    type: str = "",
    actor: Annotated[str, Person()] = "",
    channel: str = "",
    limit: int = 10,
) -> Reply:
    """Show the last events."""
    wanted = _wanted(task or target, type, actor, channel)
    return _shown(events.list_last(ctx.tx, wanted, limit=page_size(limit)), next_=None)


@command(
    "event log",
    scope="events:read",
    http="POST /collab/events/human-log",
    result=HumanLogData,
    examples=["event log --since 24h"],
)
def log(
    ctx: Context,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    task: Annotated[str, Ref("T")] = "",
    type: str = "",
    actor: Annotated[str, Person()] = "",
) -> Reply:
    """Tell the events of a time in words, by day."""
    told = events.human_log(
        ctx.tx,
        _wanted(task, type, actor, ""),
        since=since or ctx.tx.now - _DAY,
        until=until or ctx.tx.now,
    )
    return Reply(
        summary=f"Human log, {blocks.count(told.count, 'event')}",
        blocks=(Text(md=told.markdown),),
        data={
            "markdown": told.markdown,
            "count": told.count,
            "last_seq": told.last_seq,
        },
    )


COMMANDS: Sequence[Command] = (add, list_, tail, log)


def _wanted(target: str, type_: str, actor: str, channel: str) -> EventFilter:
    return EventFilter(
        types=_only(type_),
        targets=_only(target),
        actors=_only(actor),
        channels=_only(channel),
    )


def _only(value: str) -> frozenset[str]:
    return frozenset({value}) if value else frozenset()


def _shown(found: Sequence[Event], *, next_: str | None) -> Reply:
    if not found:
        return blocks.empty("No events", ("Add one", "event add hello_said"))
    lines = [
        f"{each.seq:>6} {each.ts:%m-%d %H:%M:%S} {each.type} {each.target} {each.actor}"
        for each in found
    ]
    return Reply(
        summary=blocks.count(len(found), "event"),
        blocks=(Code(text="\n".join(lines)),),
        data={"items": [view(each) for each in found], "next": next_},
    )
