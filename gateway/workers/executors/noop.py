"""Does nothing, as often as it is asked to, and says the same each time."""

import asyncio
from contextlib import suppress

from core.runs.model import Step
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given

_FIELDS = ("seconds", "result")
_MOST_SECONDS = 3_600.0


class Noop:
    """Waits for `seconds`, and gives back `result`."""

    name = "noop"

    def check(self, step: Step) -> None:
        """Refuse what it has not, and a time out of bounds.

        Raises: InvalidArgument.
        """
        _seconds(Given(step, _FIELDS))

    async def run(self, work: StepWork) -> StepResult:
        """Wait, unless it is to stop."""
        given = Given(work.step, _FIELDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(_seconds(given)):
                await work.stop.wait()
                return StepResult(code="cancelled", detail="it was told to stop")
        return StepResult(exit_code=0, result={"result": given.json("result")})


def _seconds(given: Given) -> float:
    return given.number("seconds", 0.0, least=0.0, most=_MOST_SECONDS)
