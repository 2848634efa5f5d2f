"""Replies that every channel has to show: all eight blocks, long ones, hostile ones."""

from collections.abc import Mapping

from core.kernel.reply import (
    Action,
    Actions,
    Code,
    ErrorBlock,
    ErrorInfo,
    Fields,
    Link,
    Progress,
    Reply,
    ReplyStatus,
    Table,
    Text,
    Undo,
)

# Whatever a person or a system wrote may come back in a reply.
HOSTILE = '<!channel> <img src=x onerror=alert(1)> & "=1+1" \\u001b[31m `x` *y* |z|'

_URL = "https://ops.example.org/r/rp_0123456789ABCDEFGHJKMNPQRS"


def _reply(summary: str, *blocks: object, **fields: object) -> Reply:
    known = {"id": "rp_0123456789ABCDEFGHJKMNPQRS", "url": _URL, **fields}
    return Reply(summary=summary, blocks=blocks, **known)  # type: ignore[arg-type]


def _table(rows: int, cell: str = "Fix login") -> Table:
    return Table(
        columns=("id", "title"),
        rows=[(f"T-{number}", cell) for number in range(1, rows + 1)],
        total=rows,
    )


def _actions(count: int) -> Actions:
    return Actions(
        items=[
            Action(label=f"Claim T-{number}", command=f"task claim T-{number}")
            for number in range(count)
        ]
    )


REPLIES: Mapping[str, Reply] = {
    "bare": _reply("Done"),
    "text": _reply("Log", Text(md="# Monday\n\n- **T-1** [done](https://x.example)")),
    "fields": _reply("T-1", Fields(pairs=[("title", "Fix login"), ("lane", "")])),
    "table": _reply("2 tasks", _table(2), data={"items": [{"id": "T-1"}]}),
    "long table": _reply("500 tasks", _table(500)),
    "empty table": _reply("No tasks", Table(columns=("id",), rows=())),
    "code": _reply("Logs", Code(text="a\n" * 40, lang="sh")),
    "long code": _reply("Logs", Code(text="line ``` of a log\n" * 2_000)),
    "progress": _reply("2 of 4", Progress(done=2, total=4, steps=("build", "test"))),
    "link": _reply("X-9 ready", Link(label="Download", url="/exports/X-9")),
    "error": _reply(
        "There is no such thing",
        ErrorBlock(title="There is no such thing", detail="T-9", fix=["task list"]),
        status=ReplyStatus.ERROR,
        error=ErrorInfo(
            type="https://ops.example.org/docs/errors/not-found",
            code="not_found",
            title="There is no such thing",
            detail="T-9 does not exist",
            status=404,
        ),
    ),
    "actions": _reply("Created T-1", _actions(3)),
    "many actions": _reply("Choose", _actions(60)),
    "undo": _reply(
        "Moved",
        undo=Undo(command="undo rp_1", until="2026-11-04T09:10:00Z"),
    ),
    "confirm": _reply(
        "Sure?",
        Actions(items=[Action(label="Confirm", command="confirm 7f3k")]),
        status=ReplyStatus.NEEDS_CONFIRMATION,
    ),
    "hostile": _reply(
        HOSTILE[:150],
        Text(md=HOSTILE),
        Fields(pairs=[(HOSTILE, HOSTILE)]),
        _table(2, HOSTILE),
        Code(text=HOSTILE),
        Link(label=HOSTILE, url="javascript:alert(1)"),
    ),
    "long text": _reply("Long", Text(md="word " * 20_000)),
    "everything": _reply(
        "All of it",
        Text(md="**bold**"),
        Fields(pairs=[("a", "b")] * 30),
        _table(30),
        Code(text="x"),
        Progress(done=0, total=0),
        Link(label="Open", url=_URL),
        _actions(5),
    ),
}
