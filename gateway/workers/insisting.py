"""Asks the queue again while it is away, for as long as the run can be ours."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from core.kernel.problems import SealBroken, Unavailable
from gateway.workers.pulse import Pulse

PATIENCE = timedelta(minutes=2)
_LONGEST = timedelta(minutes=10)
_PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


async def insist(
    pulse: Pulse,
    ask: Callable[[], Awaitable[Answer]],
    *,
    patience: timedelta | None = None,
) -> Answer:
    """Ask until there is an answer.

    Units:  with `patience` no longer than that, for what can be done without.
    Raises: LeaseLost once the run cannot be ours any more, or if it were of no use for
            ten minutes that it is; SealBroken, which is no outage, Unavailable when the
            patience is over, and what else is answered.
    """
    begun = time.monotonic()
    while True:
        try:
            return await ask()
        except SealBroken:
            raise
        except Unavailable as fault:
            waited = timedelta(seconds=time.monotonic() - begun)
            if pulse.is_over or waited > _LONGEST:
                raise pulse.lost() from fault
            if patience and waited > patience:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
