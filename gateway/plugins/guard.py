"""Watches over the handlers of plugins: what they raise is counted, and ends nothing."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import wraps
from types import TracebackType
from typing import Any

from commands import bus
from commands.registry import Command
from core.kernel.jsons import to_json
from core.kernel.problems import Problem
from core.kernel.reply import Reply

Note = Callable[[BaseException], None]

# A refusal is an answer, and who was cancelled has not failed.
_NO_FAULTS = (Problem, asyncio.CancelledError, GeneratorExit)


def guarded(command: Command, note: Note) -> Command:
    """Give a command with a handler whose faults are noted before they go on."""
    handler = command.handler

    def told(said: Any) -> Any:
        if command.is_macro or isinstance(said, Problem):
            return said
        reply = said if isinstance(said, Reply) else bus.as_reply(said)
        to_json(reply)  # What cannot be written is a fault of the handler, too.
        return reply

    @wraps(handler)
    def run(ctx: object, **args: object) -> Any:
        with _Watch(command.name, note):
            return told(handler(ctx, **args))

    @wraps(handler)
    async def run_async(ctx: object, **args: object) -> Any:
        with _Watch(command.name, note):
            return told(await handler(ctx, **args))

    return replace(command, handler=run_async if command.is_async else run)


class _Watch(AbstractContextManager["_Watch"]):
    """Notes a fault and lets it go on; one that would end a thread becomes milder."""

    def __init__(self, name: str, note: Note) -> None:
        self._name = name
        self._note = note

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if fault is None or isinstance(fault, _NO_FAULTS):
            return
        self._note(fault)
        is_mild = isinstance(fault, Exception)
        if not is_mild:
            raise RuntimeError(f"{self._name} ended with {fault!r}") from fault
