"""Whole collections as documents, with the ETag that the mirrored files carry."""

from collections.abc import Sequence
from enum import StrEnum

import orjson

from commands.context import Context
from commands.registry import Command, command
from commands.views import StateData
from core.collab import documents
from core.collab.documents import Kind
from core.events import service as events
from core.events.log import render_human_log
from core.events.model import render_event_line
from core.kernel.etag import digest, entity_tag
from core.kernel.problems import MissingScope
from core.kernel.reply import Code, Reply

_EVENTS_SHOWN = 1_000


class StateKind(StrEnum):
    """What can be read as a whole; `leases` is another name for `locks`."""

    TASKS = "tasks"
    LOCKS = "locks"
    LEASES = "leases"
    AGENTS = "agents"
    EVENTS = "events"
    LOG = "log"


_SCOPES = {
    StateKind.TASKS: "tasks:read",
    StateKind.LOCKS: "leases:read",
    StateKind.LEASES: "leases:read",
    StateKind.AGENTS: "agents:read",
    StateKind.EVENTS: "events:read",
    StateKind.LOG: "events:read",
}


@command(
    "state show",
    http="GET /collab/state/{kind}",
    result=StateData,
    examples=["state show tasks"],
)
def show(ctx: Context, kind: StateKind) -> Reply:
    """Show a collection as it is mirrored: tasks, locks, agents, events or log."""
    if not ctx.principal.may(_SCOPES[kind]):
        raise MissingScope(_SCOPES[kind], who=ctx.principal.name)
    if kind in (StateKind.EVENTS, StateKind.LOG):
        return _text(ctx, kind)
    name = Kind.LOCKS if kind is StateKind.LEASES else Kind(kind.value)
    body, etag = documents.DOCUMENTS[name](ctx.tx)
    return Reply(
        summary=f"{kind} at version {etag.partition('-')[0]}",
        blocks=(Code(text=body.decode()[:4_000], lang="json"),),
        data={"kind": name.value, "etag": etag, "data": orjson.loads(body)},
    )


COMMANDS: Sequence[Command] = (show,)


def _text(ctx: Context, kind: StateKind) -> Reply:
    last = events.last_seq(ctx.tx)
    found = events.list_after(ctx.tx, max(0, last - _EVENTS_SHOWN), limit=_EVENTS_SHOWN)
    if kind is StateKind.EVENTS:
        text = b"".join(render_event_line(each) for each in found).decode()
    else:
        text = render_human_log(found)
    return Reply(
        summary=f"{kind} up to event {last}",
        blocks=(Code(text=text[-4_000:]),),
        data={
            "kind": kind.value,
            "etag": entity_tag(last, digest(text.encode())),
            "text": text,
        },
    )
