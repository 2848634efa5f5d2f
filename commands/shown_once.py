"""What a command shows once and nobody keeps: the text of a key, the token of a link."""

from dataclasses import replace

from commands.registry import Command
from core.kernel.reply import Reply

MASK = "(shown once)"


def mask(command: Command, reply: Reply) -> Reply:
    """Return a reply as it may be stored: what `command` hides is not in it.

    Blocks are left out as a whole, for they may show the same in other words.
    """
    if not command.hides:
        return reply
    hidden = {name: MASK for name in command.hides if name in reply.data}
    return replace(reply, blocks=(), data={**reply.data, **hidden}) if hidden else reply
