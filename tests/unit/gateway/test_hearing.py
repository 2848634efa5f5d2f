"""A hearing rings once for what was committed, and loses none of it."""

import asyncio

from core.kernel.principal import TenantId
from gateway.bell import Bell
from gateway.hearing import Hearing

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


async def test_it_rings_once_until_what_changed_is_taken() -> None:
    """However many commits there are, on whichever threads."""
    bell, rings = Bell(), 0

    def ring() -> None:
        nonlocal rings
        rings += 1
        bell.ring()

    hearing = Hearing(ring)
    hearing.begin()

    async with asyncio.timeout(10):
        for tenant in (ACME, GLOBEX, ACME):
            await asyncio.to_thread(hearing.hear, {tenant})
        await bell.wait()
        first = hearing.taken()
        await asyncio.to_thread(hearing.hear, {GLOBEX})
        await bell.wait()

    assert (first, hearing.taken(), hearing.taken()) == (
        {ACME, GLOBEX},
        {GLOBEX},
        set(),
    )
    assert rings == 2


async def test_what_may_be_anybodys_rings_as_well() -> None:
    """A line that was down says so without naming a tenant."""
    bell = Bell()
    hearing = Hearing(bell.ring)
    hearing.begin()

    hearing.hear(set())

    async with asyncio.timeout(10):
        await bell.wait()
    assert hearing.taken() == set()


async def test_nothing_is_heard_before_anybody_listens() -> None:
    """Whoever begins looks by themselves first."""
    bell = Bell()
    hearing = Hearing(bell.ring)

    hearing.hear({ACME})
    hearing.begin()

    assert hearing.has_begun
    assert hearing.taken() == set()


def test_a_loop_that_is_closed_is_no_fault() -> None:
    """And whoever begins anew is rung for, with what was told meanwhile."""
    rung: list[str] = []
    hearing = Hearing(lambda: rung.append("rung"))

    async def begin() -> None:
        hearing.begin()

    async def begin_anew() -> set[TenantId]:
        hearing.begin()
        hearing.hear({GLOBEX})
        await asyncio.sleep(0)
        return hearing.taken()

    asyncio.run(begin())
    hearing.hear({ACME})

    assert asyncio.run(begin_anew()) == {ACME, GLOBEX}
    assert rung == ["rung"]
