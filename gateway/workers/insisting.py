"""Asks the queue again while it is away, for as long as the run can be ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from core.kernel.problems import SealBroken, Unavailable
from gateway.workers.pulse import Pulse

_PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


async def insist(pulse: Pulse, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer.

    Raises: LeaseLost once the run cannot be ours any more; SealBroken, which is no
            outage, and what else is answered.
    """
    while True:
        try:
            return await ask()
        except SealBroken:
            raise
        except Unavailable as fault:
            if pulse.is_over:
                raise pulse.lost() from fault
            await asyncio.sleep(_PAUSE_SECONDS)
