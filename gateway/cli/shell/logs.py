"""`run logs R-7 --follow` at the prompt: asks for what came later until the run is over."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from core.kernel.reply import Reply
from gateway.cli.line import quote
from gateway.cli.terminal import Terminal

# A command every two seconds leaves a person most of the 120 a minute.
_PAUSE_SECONDS = 2.0
_FLAG = "--follow"


class Asks(Protocol):
    """Where commands are sent."""

    async def ask(self, line: str) -> tuple[str, asyncio.Future[Reply]]:
        """Send a line; return its id and what will be its reply."""
        ...


def is_log(line: str) -> bool:
    """Tell whether a line asks for a log, and to go on."""
    return line.split()[:2] == ["run", "logs"] and _FLAG in line.split()


async def follow_log(
    asks: Asks, terminal: Terminal, line: str, *, pause: float = _PAUSE_SECONDS
) -> None:
    """Show the end of a log, then what is printed behind it, until the run is over."""
    reply = await _ask(asks, line)
    terminal.show(reply)
    while reply.error is None and not reply.data.get("is_over"):
        await asyncio.sleep(pause)
        reply = await _ask(asks, _onward(reply.data))
        for each in reply.data.get("lines") or ():
            terminal.print(f"{each['text']}\n")
    if reply.error is None:
        terminal.say(f"{reply.data['run']} has ended: {reply.data['status']}")


async def _ask(asks: Asks, line: str) -> Any:
    _, reply = await asks.ask(line)
    return await reply


def _onward(data: Mapping[str, Any]) -> str:
    step = f" --step {quote(str(data['step']))}" if data.get("step") else ""
    return f"run logs {data['run']} --offset {data['next_offset']}{step}"
