"""The supervisor: what is in trouble is told, whether it ended or goes on."""

import asyncio

from gateway.supervisor import Loop, Supervisor


async def rest() -> None:
    await asyncio.Event().wait()


async def test_a_loop_that_goes_on_tells_of_its_own_fault() -> None:
    faults = ["event 7"]
    supervisor = Supervisor(
        loops=[
            Loop(name="echo", work=rest, fault=lambda: "".join(faults)),
            Loop(name="idle", work=rest),
        ]
    )

    during = dict(supervisor.failing)
    faults.clear()

    assert during == {"echo": "event 7"}
    assert supervisor.failing == {}


async def test_a_loop_that_ended_is_failing() -> None:
    ended = asyncio.Event()

    async def end() -> None:
        ended.set()
        raise KeyError("gone")

    supervisor = Supervisor(loops=[Loop(name="echo", work=end)])
    supervisor.start()
    await ended.wait()
    await asyncio.sleep(0)
    await supervisor.stop()

    assert supervisor.failing == {"echo": "'gone'"}
