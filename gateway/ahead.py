"""Commands that need the world outside: run before the unit that stores their answer.

Nothing may wait for a network inside of a transaction, so such a handler gets none. What
it said is then stored and audited like the answer of any other command.
"""

import asyncio
from datetime import timedelta

from commands import bus
from commands.context import AsyncContext
from commands.invocation import Invocation
from core.kernel.problems import Problem, TookTooLong
from core.kernel.reply import Reply
from gateway.message import Message

DEADLINE = timedelta(seconds=45)


async def run_ahead(message: Message, *, deadline: timedelta = DEADLINE) -> None:
    """Run an asynchronous command; its outcome waits in the message for the unit.

    Shape:  does nothing for every other command, and for a dry run.
    """
    invocation = message.invocation
    if invocation is None or message.problem is not None:
        return
    command = invocation.command
    if not command.is_async or invocation.options.dry_run:
        return
    context = AsyncContext(
        principal=message.principal, invocation=invocation, origin=message.origin
    )
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            said = await command.handler(context, **invocation.args)
    except TimeoutError:
        message.outcome = _too_late(invocation, deadline)
    except Problem as problem:
        message.outcome = problem
    else:
        is_whole = isinstance(said, Reply | Problem)
        message.outcome = said if is_whole else bus.as_reply(said)


def _too_late(asked: Invocation, deadline: timedelta) -> TookTooLong:
    plugin = asked.command.plugin
    what = (
        f"{asked.command.name} of the plugin {plugin}" if plugin else asked.command.name
    )
    return TookTooLong(
        f"{what} had no result after {deadline.total_seconds():g} s",
        fix=[asked.canonical, f"plugin show {plugin}" if plugin else "channel list"],
    )
