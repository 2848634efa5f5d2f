"""A gateway whose triggers react when a test says so."""

from collections.abc import Mapping
from typing import Any

from core.events import service as events
from core.events.model import Event
from core.kernel.principal import system
from gateway.intake import Intake
from tests.api.gateway import Answer, Gateway, Person

ROUNDS = 40

NOTE_ON_T1: Mapping[str, Any] = {
    "command": "task note",
    "fixed": {"task": "T-1"},
    "templates": {"text": "{target}: {event}"},
}


def named(name: str) -> dict[str, Any]:
    """Say in whose name a trigger runs; Python keeps the word for itself."""
    return {"as": name}


class Triggering:
    """A gateway with its intake at work; `settle` has everything react and run."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.admin: Person = gateway.admin
        self._reactor = gateway.graph.outward.reactor
        self._intake: Intake = gateway.graph.intake

    async def start(self) -> None:
        """Begin to react to what happens from now on."""
        await self._reactor.react_to_news()
        self._intake.start()

    async def stop(self) -> None:
        """End the workers."""
        await self._intake.stop()

    async def react(self) -> None:
        """Have the consumers react, and nothing run."""
        await self._reactor.react_to_news()

    async def settle(self) -> int:
        """React and run until nothing happens any more; tell how many rounds it took."""
        for number in range(ROUNDS):
            before = self.newest
            await self.react()
            await self._intake.drain()
            await self._intake.settle()
            if self.newest == before:
                return number
        raise AssertionError(f"not at rest after {ROUNDS} rounds")

    @property
    def newest(self) -> int:
        """The number of the newest event."""
        return self.gateway.graph.db.look(events.last_seq, by=system())

    def events(self, *types: str) -> list[Event]:
        """Read the events of some types, the oldest first."""
        found = self.gateway.graph.db.look(
            lambda tx: events.list_after(tx, 0, limit=10_000), by=system()
        )
        return [each for each in found if each.type in types]

    async def make(self, name: str, *, by: Person | None = None, **body: Any) -> str:
        """Make a trigger as a script does, and give its id."""
        answer = await self.refused(name, by=by, **body)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    async def refused(
        self, name: str, *, by: Person | None = None, **body: Any
    ) -> Answer:
        """Ask for a trigger, whatever the answer is."""
        return await (by or self.admin).post("/v1/triggers", {"name": name, **body})

    async def fires(self, trigger: str) -> list[dict[str, Any]]:
        """List a trigger's fires, the newest first."""
        answer = await self.admin.get(f"/v1/triggers/{trigger}/fires")
        return list(answer.body["items"])

    async def notes(self, task: str = "T-1") -> list[str]:
        """Read what was noted on a task, the oldest first."""
        found = self.events("note_added")
        return [str(each.details["text"]) for each in found if each.target == task]

    async def tasks(self) -> list[str]:
        """Read the titles of all tasks, the oldest first."""
        answer = await self.admin.get("/collab/tasks?limit=100")
        rows = sorted(answer.body["items"], key=lambda each: int(each["id"][2:]))
        return [str(each["title"]) for each in rows]


async def deliver(world: Triggering, hook: str, payload: object) -> None:
    """Have something delivered to a webhook, and all of it done that follows."""
    answer = await world.admin.post(f"/v1/webhooks/{hook}/send", {"payload": payload})
    assert answer.status < 300, answer
    await world.settle()


async def a_hook(world: Triggering, command: str = "version") -> str:
    """Make a webhook and give its id."""
    hook = await world.admin.post(
        "/v1/webhooks", {"name": "alerts", "command": command, "auth": "key"}
    )
    return str(hook.body["id"])
