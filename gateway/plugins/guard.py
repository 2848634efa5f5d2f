"""Watches over the handlers of plugins: timed, counted, and what they raise is told."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from commands.context import AsyncContext, Context
from commands.registry import Command
from core.kernel.problems import PluginFailed, Problem, Unavailable
from gateway.plugins.answers import answer_of
from gateway.plugins.calls import SLOW_SECONDS, Calls, Manner
from gateway.plugins.loops import OwnLoop
from gateway.plugins.model import Fault
from gateway.supervisor import Failed, attempt, attempt_async

_log = logging.getLogger(__name__)

SEES_PLUGINS = "plugins:read"

# A refusal is an answer, and who was cancelled has not failed.
_NO_FAULTS = (Problem, GeneratorExit, asyncio.CancelledError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is known of the plugin whose handlers are watched, and whom to tell.

    Shape:  `fault_of` says what was raised; `failed` and `slow` count it. `loop` is
            where asynchronous handlers run.
    """

    key: str
    plugin: str
    edition: str
    calls: Calls
    loop: OwnLoop
    fault_of: Callable[[BaseException], Fault]
    failed: Callable[[str], None]
    slow: Callable[[str, float], None]

    def watch(self, command: Command) -> Command:
        """Give a command with a handler that is watched."""
        manner = Manner.READ if command.is_read else Manner.WRITE
        manner = Manner.ASYNC if command.is_async else manner

        def require_free() -> None:
            self.calls.require_free(self.key, plugin=self.plugin, manner=manner)
            if command.is_async and self.loop.is_full:
                raise Unavailable(f"plugin {self.plugin} is busy", retry_after=2)

        return replace(
            command,
            handler=self._watched(command, manner),
            plugin=self.plugin,
            edition=f"{self.plugin}@{self.edition}",
            require_free=require_free,
        )

    def _watched(self, command: Command, manner: Manner) -> Callable[..., Any]:
        handler = command.handler

        def told(said: Any) -> Any:
            return said if command.is_macro else answer_of(said)

        async def tell(work: Any) -> Any:
            return told(await self._elsewhere(work))

        @wraps(handler)
        def run(ctx: object, **args: object) -> Any:
            with self._timed(command, manner):
                outcome = attempt(lambda: told(handler(ctx, **args)))
            return self._settled(command, ctx, outcome)

        @wraps(handler)
        async def run_async(ctx: object, **args: object) -> Any:
            with self._timed(command, manner):
                outcome = await attempt_async(tell(handler(ctx, **args)))
            return self._settled(command, ctx, outcome)

        return run_async if command.is_async else run

    async def _elsewhere(self, work: Any) -> Any:
        """Run it on its own loop; it can cancel itself, and not whoever waits for it."""
        try:
            return await self.loop.run(work)
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise RuntimeError("it cancelled itself") from cancelled

    @contextmanager
    def _timed(self, command: Command, manner: Manner) -> Iterator[None]:
        self.calls.require_free(self.key, plugin=self.plugin, manner=manner)
        call = self.calls.begin(
            self.key, plugin=self.plugin, command=command.name, manner=manner
        )
        try:
            yield
        finally:
            if (seconds := self.calls.end(call)) > SLOW_SECONDS:
                self.slow(command.name, seconds)

    def _settled(self, command: Command, ctx: object, outcome: Any) -> Any:
        """Give the answer, or note the fault and say what may be told of it."""
        if not isinstance(outcome, Failed):
            return outcome
        if isinstance(outcome.fault, _NO_FAULTS):
            raise outcome.fault
        fault = self.fault_of(outcome.fault)
        self.failed(fault.text)
        where = {"plugin": self.plugin, "command": command.name}
        _log.error("plugin.raised", extra=where, exc_info=outcome.fault)
        raise self._answer(command, ctx, fault) from outcome.fault

    def _answer(self, command: Command, ctx: object, fault: Fault) -> PluginFailed:
        """Tell who may see plugins why; what was raised may be anything."""
        is_author = isinstance(ctx, Context | AsyncContext) and ctx.principal.may(
            SEES_PLUGINS
        )
        why = fault.brief if is_author else f"plugin {self.plugin}"
        return PluginFailed(
            f"{command.name} is faulty: {why}",
            fix=[f"plugin show {self.plugin}"],
            plugin=self.plugin,
        )
