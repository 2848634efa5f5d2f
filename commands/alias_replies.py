"""What an alias says: while its command runs, and of the answer once there is one."""

from dataclasses import replace

from commands.invocation import Invocation, Spoken
from commands.render import as_json
from core.expressions import fill
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import SUMMARY_LIMIT, Reply, ReplyStatus, Text

_TEXT_LIMIT = 4_000


def dressed(asked: Invocation, reply: Reply, *, actor: str) -> Reply:
    """Answer in the alias's own words, and say which one it was.

    Shape:  `data` stays as it is. A result is told of what succeeded, in place of the
            summary and, when it is longer, above the blocks; what its words cannot be applied to keeps its
            own summary.
    """
    alias = asked.alias
    if alias is None:
        return reply
    verb = "would run" if asked.options.dry_run else "is"
    note = Text(md=f"Alias `{alias.name}` {verb} `{asked.canonical}`.")
    said = _result(alias, asked, reply, actor)
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
    said = _filled("ack", alias.ack, asked, running, actor)
    if not _summary(said):
        return None
    return replace(running, summary=_summary(said), blocks=(Text(md=said),))


def _result(alias: Spoken, asked: Invocation, reply: Reply, actor: str) -> str:
    if asked.options.dry_run:
        return ""
    if reply.status is ReplyStatus.RUNNING:
        return _filled("ack", alias.ack, asked, reply, actor)
    if reply.status is not ReplyStatus.OK:
        return ""
    return _filled("result", alias.result, asked, reply, actor)


def _filled(
    name: str, template: str, asked: Invocation, reply: Reply, actor: str
) -> str:
    """Fill a text in; values that stand for a slot hide an argument of its name."""
    if not template:
        return ""
    args: dict[str, Json] = {
        each.name: as_json(asked.args.get(each.name, each.default))
        for each in asked.command.parameters
    }
    known: dict[str, Json] = {
        "args": {**args, **(asked.alias.values if asked.alias else {})},
        "data": dict(reply.data),
        "summary": reply.summary,
        "status": reply.status.value,
        "actor": actor,
    }
    try:
        return fill(name, template, known)[:_TEXT_LIMIT]
    except InvalidArgument:
        return ""  # The answer as it is says more than a refusal of what was done.


def _summary(said: str) -> str:
    return " ".join(said.split())[:SUMMARY_LIMIT]
