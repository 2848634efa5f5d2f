"""A button below a reply, as a line: `press rp_01JC8ZQ4T7.0`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from commands.context import Context
from commands.registry import Command, command
from commands.render import quote
from commands.schema import Doc
from core.delivery import inbox
from core.delivery.outbox import service as outbox
from core.kernel.choices import choices
from core.kernel.jsons import parse_json
from core.kernel.problems import Conflict, InvalidArgument, NotLinked
from core.kernel.reply import Reply, reply_from_json

_LIFETIME = timedelta(hours=24)


@command(
    "press",
    danger="write",
    is_macro=True,
    is_open=True,
    is_control=True,
    examples=["press rp_01JC8ZQ4T7.0"],
)
def press(
    ctx: Context,
    button: Annotated[
        str, Doc("The id of the reply, a dot, and which of its buttons.")
    ],
) -> str:
    """Do what a button below a reply says, with your own rights."""
    reply_id, _, number = button.partition(".")
    offered = choices(_reply(ctx, reply_id))
    if not number.isdecimal() or int(number) >= len(offered):
        raise Conflict(f"there is no button {button[:60]}", fix=["help"])
    line = offered[int(number)].command
    typed = ctx.options.confirm
    return f"{line} --confirm {quote(typed)}" if typed else line


COMMANDS: Sequence[Command] = (press,)


def _reply(ctx: Context, reply_id: str) -> Reply:
    """Find the reply of this tenant, as it was shown to whoever may press now.

    Raises: NotLinked for a stranger, who is not told what there is.
    """
    if not reply_id.startswith("rp_"):
        raise InvalidArgument(
            f"{reply_id[:40]} is no reply", fix=["press rp_01JC8ZQ4T7.0"]
        )
    found = inbox.find_stored(ctx.tx, reply_id) or outbox.find_posted(ctx.tx, reply_id)
    if found is None or not found.body:
        if not ctx.principal.linked:
            raise NotLinked(f"{ctx.principal.name} is not linked", fix=["link"])
        raise Conflict("this button belongs to no answer of ours", fix=["help"])
    if found.at + _LIFETIME < ctx.tx.now:
        raise Conflict(
            "this button is older than 24 hours", fix=["send the command again"]
        )
    stored = parse_json(found.body)
    assert isinstance(stored, dict)
    return reply_from_json(stored)
