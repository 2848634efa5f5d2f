"""Awaits something for as long as a step may go on."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from gateway.workers.executors.base import StepWork

Answer = TypeVar("Answer")


async def unless_stopped(work: StepWork, asked: Awaitable[Answer]) -> Answer | None:
    """Give the answer, or None once the step is to stop; nothing goes on then.

    Raises: what `asked` raises.
    """
    asking = asyncio.ensure_future(asked)
    stopping = asyncio.ensure_future(work.stop.wait())
    try:
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else None
    finally:
        asking.cancel()
        stopping.cancel()
        await asyncio.gather(asking, stopping, return_exceptions=True)
