"""What a command shows once and nobody keeps: the text of a key, the token of a link."""

from collections.abc import Sequence
from dataclasses import replace

from commands.registry import Command
from core.kernel.reply import SUMMARY_LIMIT, Reply

MASK = "(shown once)"


def mask(command: Command, reply: Reply) -> Reply:
    """Return a reply as it may be stored: what `command` hides is not in it.

    Blocks are left out as a whole, for they may show the same in other words.
    """
    hidden = [name for name in command.hides if name in reply.data]
    if not hidden:
        return reply
    secrets = [str(reply.data[name]) for name in hidden if reply.data[name]]
    undo = reply.undo
    return replace(
        reply,
        summary=_without(reply.summary, secrets)[:SUMMARY_LIMIT],
        blocks=(),
        data={**reply.data, **dict.fromkeys(hidden, MASK)},
        undo=undo and replace(undo, command=_without(undo.command, secrets)),
    )


def _without(text: str, secrets: Sequence[str]) -> str:
    for each in secrets:
        text = text.replace(each, MASK)
    return text
