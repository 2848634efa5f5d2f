"""Whatever is delivered and replayed, and in which order: one effect for each message."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import METADATA, open_engine
from core.hooks.model import HookAuth, PayloadMap
from core.identity.tenants import service as tenants
from core.kernel.principal import Principal, Role, system
from core.kernel.reply import Reply
from gateway.recording import recorded
from tests.conftest import FakeClock
from tests.integration.webhook.conftest import World
from tests.integration.webhook.test_commands import ask, items

# A payload's `good` says whether the first rule can do something with it; the second
# rule takes every one. A name says which message it is.
FIRST = PayloadMap(command="task create", arguments={"title": "good"}, filter="wanted")
SECOND: dict[str, Any] = {"command": "task create", "arguments": {"title": "name"}}

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("good", "bad", "unwanted", "replay", "all", "failed", "mend")),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=14,
)


class Play:
    """One endpoint to which steps happen."""

    def __init__(self, world: World, by: Principal) -> None:
        self.world = world
        self.by = by
        self.sent: list[str] = []
        self.done: dict[str, Any] = {}

    async def step(self, what: str, number: int) -> None:
        match what:
            case "good" | "bad" | "unwanted":
                await self.send(what)
            case "replay" if self.sent:
                await self.replay(delivery=self.sent[number % len(self.sent)])
            case "all":
                await self.replay(since="1d")
            case "failed":
                await self.replay(failed=True)
            case "mend":
                await ask(self.world, self.by, "webhook set", webhook="W-1", **SECOND)
        await self.world.intake.drain()
        await self.world.intake.settle()

    async def send(self, kind: str) -> None:
        name = f"m{len(self.sent)}"
        payload: dict[str, Any] = {"name": name, "wanted": kind != "unwanted"}
        payload |= {"good": name} if kind == "good" else {}
        sent = await ask(
            self.world, self.by, "webhook send", webhook="W-1", payload=payload
        )
        self.sent.append(str(sent.data["id"]))

    async def replay(self, **which: Any) -> Reply:
        """Replay twice at once; of what is done, nothing may be new."""
        before = await self.outcomes()
        replies = await asyncio.gather(
            *(
                ask(self.world, self.by, "webhook replay", webhook="W-1", **which)
                for _ in range(2)
            )
        )
        new = [
            each["id"]
            for reply in replies
            for each in items(reply, "items")
            if each["is_new"]
        ]
        assert all(count == 1 for count in Counter(new).values())
        assert "done" not in {before[each] for each in new}
        return replies[0]

    async def outcomes(self) -> dict[str, str]:
        reply = await ask(
            self.world, self.by, "webhook deliveries", webhook="W-1", limit=100
        )
        return {each["id"]: each["outcome"] for each in items(reply, "items")}


@settings(deadline=None, max_examples=25)
@given(STEPS)
def test_a_replay_never_runs_what_is_done(steps: Sequence[Step]) -> None:
    """R-07: no order of deliveries, replays and new rules makes a second task of one."""
    with TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder), steps))


async def _play(folder: Path, steps: Sequence[Step]) -> None:
    clock = FakeClock()
    engine = open_engine(f"sqlite:///{folder}/ops.db")
    METADATA.create_all(engine)
    db = recorded(engine, clock=clock)
    db.run(tenants.ensure_default, by=system())
    world = World(db, clock, folder)
    by = world.user("ann", Role.ADMIN)
    world.endpoint(by, FIRST, auth=HookAuth.KEY)
    play = Play(world, by)
    world.intake.start()
    try:
        for what, number in steps:
            await play.step(what, number)
    finally:
        await world.intake.stop()

    titles = Counter(each.title for each in world.tasks())
    assert all(count == 1 for count in titles.values())
    db.close()
