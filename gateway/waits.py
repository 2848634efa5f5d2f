"""Answers that are held back: until what they began is over, or there is work.

A sender that waits for its answer may say for how long. What it asked for is stored by
then, so a gateway that stops, or a client that goes away, loses the waiting alone.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta

from core.database import Database, Tx
from core.events.model import EventFilter
from core.kernel.principal import Principal
from core.kernel.reply import GOES_ON, Reply, ReplyStatus
from core.runs.lanes import figures
from gateway.answers import Answer
from gateway.event_source import EventLine, EventsGone
from gateway.message import Message
from gateway.pipeline import Ask, IsGone
from gateway.tails import Tails

LONGEST = timedelta(minutes=10)
CLAIM = "run claim"

News = AsyncGenerator[Sequence[EventLine]]
Standing = Callable[[Tx, str], Reply]
"""Shows how a thing stands now; RUNNING until it is over."""

# What queues a run, or makes room for one that is queued.
_WORK = EventFilter(
    types=frozenset(
        {
            "run_queued",
            "run_resumed",
            "run_retry_scheduled",
            "run_lost",
            "run_succeeded",
            "run_failed",
            "run_cancelled",
            "lane_changed",
            "worker_online",
        }
    )
)


class Waits:
    """Holds answers with the help of the live events; it never looks by the clock.

    Shape:  `standings` tell how what has an id with this prefix stands.
    """

    def __init__(
        self,
        db: Database,
        events: Tails,
        *,
        standings: Mapping[str, Standing],
    ) -> None:
        self._db = db
        self._events = events
        self._standings = standings

    async def end_of(self, message: Message, reply: Reply) -> Reply | None:
        """Wait until what a command is about is over; None when nobody wants to wait.

        Shape:  when the time is up, or the gateway stops, as it stands then.
        Units:  at most `LONGEST`, whatever was asked for.
        """
        asked = message.invocation
        wait = asked.options.wait if asked else None
        target = str(reply.data.get("id", ""))
        standing = self._standings.get(target.partition("-")[0])
        if wait is None or standing is None or not _is_done(reply):
            return None
        by = message.principal
        try:
            async with asyncio.timeout(min(wait, LONGEST).total_seconds()):
                await self._until_over(by, target, standing)
        except TimeoutError:
            pass
        return await self._db.read(lambda tx: standing(tx, target), by=by)

    async def work_for(
        self, message: Message, answer: Answer, ask: Ask, is_gone: IsGone
    ) -> Answer:
        """Claim again whenever there may be work, for as long as the worker waits.

        Shape:  each try has the same key, under which the one that gives runs is
                stored: a worker that sends its claim again is given those. One that is
                gone is given nothing, or its runs would wait for their leases to end.
        """
        seconds = _patience(message, answer)
        if not seconds:
            return answer
        end = asyncio.get_running_loop().time() + seconds
        by, is_due = message.principal, True
        after = await self._events.newest(by)
        async with aclosing(self._events.tail(by, after=after, wanted=_WORK)) as news:
            while is_due or await _is_rung(news, end):
                is_due = False
                # Of many who wait and hear of one run, few are to ask for it.
                if not await self._db.read(_has_queued, by=by):
                    continue
                if await is_gone():
                    break
                answer = await ask(message.envelope)
                if answer.reply.error or answer.reply.data.get("runs"):
                    break
        return answer

    async def _until_over(self, by: Principal, target: str, standing: Standing) -> None:
        wanted = EventFilter(targets=frozenset({target}))
        after = await self._events.newest(by)
        async with aclosing(self._events.tail(by, after=after, wanted=wanted)) as news:
            while True:
                now = await self._db.read(lambda tx: standing(tx, target), by=by)
                if now.status is not ReplyStatus.RUNNING or not await _next(news):
                    return


def _is_done(reply: Reply) -> bool:
    """Tell whether a command took effect, so that there may be something to wait for."""
    return reply.status in GOES_ON and not reply.data.get("dry_run")


def _patience(message: Message, answer: Answer) -> float:
    """Tell for how many seconds a worker that was given nothing waits for work."""
    asked = message.invocation
    if asked is None or asked.command.name != CLAIM or answer.reply.error:
        return 0.0
    if answer.reply.data.get("runs") or asked.options.dry_run:
        return 0.0
    return float(asked.args["wait_seconds"])


def _has_queued(tx: Tx) -> bool:
    return any(figures.read(tx).queued.values())


async def _next(news: News) -> bool:
    """Wait for news; False when there will be none, for the gateway stops."""
    try:
        return await anext(news, None) is not None
    except EventsGone:
        return False


async def _is_rung(news: News, end: float) -> bool:
    """Wait for news; False when the time is up. A claim itself is never cut off."""
    try:
        async with asyncio.timeout_at(end):
            return await _next(news)
    except TimeoutError:
        return False
