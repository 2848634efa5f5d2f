"""What an alias says: while its command runs, and of the answer once there is one."""

from dataclasses import replace
from typing import NamedTuple

from commands.invocation import Invocation, Spoken
from commands.render import as_json
from core.expressions import fill
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import SUMMARY_LIMIT, Reply, ReplyStatus, Text

_TEXT_LIMIT = 4_000


class _Filled(NamedTuple):
    """A text with values in it, or why it could not be filled in."""

    said: str
    fault: str = ""


_NOTHING = _Filled("")


def dressed(asked: Invocation, reply: Reply, *, actor: str) -> Reply:
    """Answer in the alias's own words, and say which one it was.

    Shape:  `data` stays as it is. A text that cannot be applied is told of on a line,
            and undoes nothing. A result is told of what succeeded, in place of the
            summary and, when it is longer, above the blocks; what its words cannot be applied to keeps its
            own summary.
    """
    alias = asked.alias
    if alias is None:
        return reply
    verb = "would run" if asked.options.dry_run else "is"
    note = Text(md=f"Alias `{alias.name}` {verb} `{asked.canonical}`.")
    said, fault = _result(alias, asked, reply, actor)
    if fault:
        why = Text(md=f"What `{alias.name}` says could not be filled in: {fault}")
        return replace(reply, blocks=(*reply.blocks, why, note))
    if not said:
        return replace(reply, blocks=(*reply.blocks, note))
    summary = _summary(said) or reply.summary
    # What the summary says as a whole is not said twice.
    told = () if summary == said else (Text(md=said),)
    return replace(reply, summary=summary, blocks=(*told, *reply.blocks, note))


def acknowledged(asked: Invocation, *, actor: str) -> Reply | None:
    """Say that a command runs now; None when its alias says nothing of that."""
    alias = asked.alias
    if alias is None or not alias.ack:
        return None
    running = Reply(summary=alias.name, status=ReplyStatus.RUNNING)
    said, _ = _filled("ack", alias.ack, asked, running, actor)
    if not _summary(said):
        return None
    return replace(running, summary=_summary(said), blocks=(Text(md=said),))


def _result(alias: Spoken, asked: Invocation, reply: Reply, actor: str) -> _Filled:
    if asked.options.dry_run:
        return _NOTHING
    if reply.status is ReplyStatus.RUNNING:
        return _filled("ack", alias.ack, asked, reply, actor)
    if reply.status is not ReplyStatus.OK:
        return _NOTHING
    return _filled("result", alias.result, asked, reply, actor)


def _filled(
    name: str, template: str, asked: Invocation, reply: Reply, actor: str
) -> _Filled:
    """Fill a text in; values that stand for a slot hide an argument of its name."""
    if not template:
        return _NOTHING
    args: dict[str, Json] = {
        each.name: as_json(asked.args.get(each.name, each.default))
        for each in asked.command.parameters
    }
    slots: dict[str, Json] = dict(asked.alias.values) if asked.alias else {}
    known: dict[str, Json] = {
        **slots,
        "args": {**args, **slots},
        "data": dict(reply.data),
        "summary": reply.summary,
        "status": reply.status.value,
        "actor": actor,
    }
    try:
        return _Filled(fill(name, template, known)[:_TEXT_LIMIT])
    except InvalidArgument as problem:
        return _Filled("", fault=problem.detail)


def _summary(said: str) -> str:
    return " ".join(said.split())[:SUMMARY_LIMIT]
