"""Reports go out in order, in pieces, and not one by one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from core.kernel.lanes import Lane
from core.kernel.principal import TenantId
from core.kernel.problems import InvalidArgument
from core.runs.reports import LogReport, Note, Report
from gateway.workers.calls import Calls, Claimed
from gateway.workers.pulse import Pulse
from gateway.workers.teller import PIECE_CHARS, Teller

HELD = Claimed(
    tenant=TenantId("default"),
    run_id="R-7",
    fence=1,
    attempt=1,
    lane=Lane.C,
    kind="template",
    lease_expires_at=datetime(2026, 11, 4, tzinfo=UTC),
)


class Ear:
    """Hears reports, once it listens."""

    def __init__(self) -> None:
        self.heard: list[Sequence[Report]] = []
        self.listens = asyncio.Event()
        self.listens.set()

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        """Hear reports, but for notes of what is too much."""
        await self.listens.wait()
        if any(isinstance(each, Note) and each.type == "too_much" for each in reports):
            raise InvalidArgument("too much")
        self.heard.append(reports)

    @property
    def text(self) -> str:
        """All logs that were heard."""
        every = [each for batch in self.heard for each in batch]
        return "".join(each.text for each in every if isinstance(each, LogReport))


@pytest.fixture
def ear() -> Ear:
    """Whoever hears the reports."""
    return Ear()


@pytest.fixture
async def teller(ear: Ear) -> AsyncIterator[Teller]:
    """A teller at work."""
    calls = cast(Calls, ear)
    made = Teller(calls, HELD, Pulse(calls, HELD, lease=timedelta(seconds=30)))
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_order_is_kept(ear: Ear, teller: Teller) -> None:
    for number in range(20):
        await teller.tell(LogReport(text=f"{number} "))
        await teller.tell(Note(type="mark", details={"number": number}))
    await teller.flush()

    every = [each for batch in ear.heard for each in batch]
    marks = [each.details["number"] for each in every if isinstance(each, Note)]
    assert marks == list(range(20))
    assert ear.text == "".join(f"{number} " for number in range(20))


async def test_a_long_text_comes_in_pieces(ear: Ear, teller: Teller) -> None:
    text = "x" * (PIECE_CHARS * 3 + 1)

    await teller.tell(LogReport(text=text))
    await teller.flush()

    assert ear.text == text
    assert all(
        len(each.text) <= PIECE_CHARS
        for batch in ear.heard
        for each in batch
        if isinstance(each, LogReport)
    )


async def test_small_pieces_are_joined_while_nobody_hears(
    ear: Ear, teller: Teller
) -> None:
    ear.listens.clear()
    for number in range(1_000):
        await teller.tell(LogReport(text=f"{number}\n"))
    ear.listens.set()
    await teller.flush()

    assert ear.text == "".join(f"{number}\n" for number in range(1_000))
    assert len(ear.heard) <= 3


async def test_whoever_tells_too_much_waits(ear: Ear, teller: Teller) -> None:
    """Memory stays bounded: a program blocks on its pipe instead."""
    ear.listens.clear()
    telling = asyncio.create_task(teller.tell(LogReport(text="x" * 5_000_000)))
    for _ in range(100):
        await asyncio.sleep(0)

    assert not telling.done()

    ear.listens.set()
    await telling
    await teller.flush()
    assert len(ear.text) == 5_000_000


async def test_a_refused_report_stops_no_other(ear: Ear, teller: Teller) -> None:
    await teller.tell(LogReport(text="before "))
    await teller.tell(Note(type="too_much"))
    await teller.tell(LogReport(text="after"))
    await teller.flush()

    assert ear.text == "before after"
