"""A host claims what it has room for, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from core.kernel.lanes import Lane
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.problems import Unauthenticated, Unavailable
from core.runs.model import Progress
from core.runs.reports import Beat, Outcome, Report, Wanted
from gateway.workers.calls import Claimed, Produced
from gateway.workers.host import Host, Pace


class Queue:
    """A queue of numbered runs that is away while `outages` lasts."""

    def __init__(self, runs: int = 0) -> None:
        self.waiting = [f"R-{number}" for number in range(1, runs + 1)]
        self.limits: list[int] = []
        self.outages = 0
        self.is_refusing = False

    async def claim(self, wanted: Wanted) -> Sequence[Claimed]:
        self.limits.append(wanted.limit)
        if self.is_refusing:
            raise Unauthenticated("the key was revoked")
        if self.outages:
            self.outages -= 1
            raise Unavailable("no gateway answers")
        given, self.waiting = (
            self.waiting[: wanted.limit],
            self.waiting[wanted.limit :],
        )
        return [claimed(run_id) for run_id in given]

    async def beat(self, held: Claimed, progress: Progress | None = None) -> Beat:
        raise NotImplementedError

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        raise NotImplementedError

    async def put(self, held: Claimed, produced: Produced) -> None:
        raise NotImplementedError

    async def secrets(self, held: Claimed) -> Mapping[str, str]:
        raise NotImplementedError

    async def complete(self, held: Claimed, outcome: Outcome) -> None:
        raise NotImplementedError

    async def hand_back(self, held: Claimed, reason: str) -> None:
        raise NotImplementedError


class Hands:
    """Works on runs until they are let go, or killed."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.ended: list[str] = []
        self.go = asyncio.Event()
        self.is_stopped = False

    async def work(self, held: Claimed) -> None:
        self.begun.put_nowait(held.run_id)
        await self.go.wait()
        self.ended.append(held.run_id)
        if held.run_id == "R-13":
            raise ValueError("a fault of ours")

    def stop(self) -> None:
        self.is_stopped = True

    def kill(self) -> None:
        self.go.set()


def claimed(run_id: str) -> Claimed:
    return Claimed(
        tenant=DEFAULT_TENANT,
        run_id=run_id,
        fence=1,
        attempt=1,
        lane=Lane.C,
        kind="trial",
        lease_expires_at=datetime(2026, 11, 4, tzinfo=UTC),
    )


def host_of(queue: Queue, hands: Hands, *, room: int = 2) -> Host:
    pace = Pace(room=room, poll=timedelta(hours=1))
    return Host(queue, hands, Wanted(worker="w"), pace)


@asynccontextmanager
async def running(host: Host) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(host.run())
    async with asyncio.timeout(10):
        yield task
        host.stop()
        host.abort()
        await task


async def test_no_more_is_claimed_than_there_is_room_for() -> None:
    queue, hands = Queue(5), Hands()
    async with running(host_of(queue, hands)):
        first = {await hands.begun.get(), await hands.begun.get()}
        assert hands.begun.empty()
        hands.go.set()
        rest = {await hands.begun.get() for _ in range(3)}

    assert (first, rest) == ({"R-1", "R-2"}, {"R-3", "R-4", "R-5"})
    assert max(queue.limits) == 2


async def test_a_ring_is_enough_to_look_again() -> None:
    queue, hands = Queue(), Hands()
    host = host_of(queue, hands)
    async with running(host):
        await host.reached.wait()
        queue.waiting.append("R-7")
        host.bell.ring()
        assert await hands.begun.get() == "R-7"


async def test_a_fault_in_one_run_stops_no_other() -> None:
    queue, hands = Queue(), Hands()
    queue.waiting = ["R-13", "R-14"]
    hands.go.set()
    async with running(host_of(queue, hands, room=1)):
        assert [await hands.begun.get(), await hands.begun.get()] == ["R-13", "R-14"]


async def test_an_outage_is_waited_out_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue, hands = Queue(1), Hands()
    queue.outages = 2
    pace = Pace(room=1, poll=timedelta(milliseconds=1))
    host = Host(queue, hands, Wanted(worker="w"), pace)
    with caplog.at_level("INFO"):
        async with running(host):
            assert await hands.begun.get() == "R-1"

    events = [each.message for each in caplog.records if "reached" in each.message]
    assert events == ["worker.unreached", "worker.reached"]


async def test_a_stop_waits_for_what_is_at_work() -> None:
    """R-29: nothing more is claimed meanwhile."""
    queue, hands = Queue(2), Hands()
    host = host_of(queue, hands, room=1)
    async with running(host) as task:
        await hands.begun.get()
        host.stop()
        assert hands.is_stopped
        assert not task.done()
        hands.go.set()
        await task

    assert hands.ended == ["R-1"]
    assert queue.waiting == ["R-2"]


async def test_an_abort_does_not_wait() -> None:
    """R-29: the second signal kills."""
    queue, hands = Queue(1), Hands()
    host = host_of(queue, hands)
    async with running(host) as task:
        await hands.begun.get()
        host.stop()
        host.abort()
        await task

    assert hands.ended == ["R-1"]


async def test_a_refusal_ends_the_host_and_its_work() -> None:
    queue, hands = Queue(1), Hands()
    host = host_of(queue, hands)
    task = asyncio.create_task(host.run())
    await hands.begun.get()
    queue.is_refusing = True
    host.bell.ring()
    hands.go.set()

    with pytest.raises(Unauthenticated):
        await task
