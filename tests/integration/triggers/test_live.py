"""Triggers in a gateway that serves: nobody tells it when to react, and it does."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
from standardwebhooks import Webhook

from tests.integration.served import PATIENCE_SECONDS, Served


async def say(http: httpx2.AsyncClient, line: str) -> Any:
    answer = await http.post("/v1/commands", json={"line": line})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def make(http: httpx2.AsyncClient, path: str, **body: Any) -> Any:
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """Look again and again until there is something; it happens elsewhere."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await look()
        while not found:
            await asyncio.sleep(0.01)
            found = await look()
    return found


async def test_a_blocked_task_is_noted_on_another_one(gateway: Served) -> None:
    """M-OMN-11."""
    async with gateway.client() as http:
        release = (await say(http, "task create Release"))["id"]
        other = (await say(http, "task create Notes"))["id"]
        await make(
            http, "/v1/triggers", name="tell", on=["status_changed"],
            filter="details.status=='blocked'", command="task note",
            fixed={"task": release}, templates={"text": "{target}: {details.reason}"},
        )  # fmt: skip

        await say(http, f"task block {other} --reason access")

        async def notes() -> Any:
            return (await say(http, f"task show {release}"))["notes"]

        (note,) = await until(notes)
    assert (note["text"], note["by"]) == (f"{other}: access", "admin")


async def test_a_signed_delivery_creates_a_task(gateway: Served) -> None:
    """M-OMN-11: the webhook keeps the delivery, the trigger makes something of it."""
    async with gateway.client() as http:
        hook = await make(
            http, "/v1/webhooks", name="alerts", command="version", auth="standard"
        )
        await make(
            http, "/v1/triggers", name="file", webhook=hook["id"],
            filter="severity=='page'", command="task create",
            templates={"title": "Alert {name}"},
        )  # fmt: skip

        for number, severity in enumerate(("info", "page")):
            await deliver(http, hook, str(number), name="disk", severity=severity)

        async def fires() -> Any:
            answer = await http.get("/v1/triggers/file/fires")
            return [
                each for each in answer.json()["items"] if each["outcome"] == "done"
            ]

        (fire,) = await until(fires)
        listed = await say(http, "task list")
    assert fire["event"] == "webhook_received"
    assert [each["title"] for each in listed["items"]] == ["Alert disk"]


async def deliver(
    http: httpx2.AsyncClient, hook: Any, number: str, **payload: str
) -> None:
    """Deliver as a stranger who knows the secret."""
    body, now = json.dumps(payload), datetime.now(UTC)
    answer = await http.post(
        hook["path"],
        content=body,
        headers={
            "authorization": "",
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(hook["secret"]).sign(number, now, body),
        },
    )
    assert answer.status_code == 202, answer.text


async def test_a_loop_is_cut_and_seen_in_the_audit(gateway: Served) -> None:
    """M-OMN-11."""
    async with gateway.client() as http:
        for name, on, then in (
            ("ping", "ping_sent", "pong_sent"),
            ("pong", "pong_sent", "ping_sent"),
        ):
            await make(
                http, "/v1/triggers", name=name, on=[on], command="event add",
                fixed={"event": then},
            )  # fmt: skip

        await say(http, "event add ping_sent")

        async def cuts() -> Any:
            return (await say(http, "audit list --action 'trigger fire'"))["items"]

        (cut,) = await until(cuts)
        told = await say(http, "event tail --type trigger_cut")
    assert (cut["verdict"], cut["target"]) == ("denied", "G-1")
    assert cut["reason"] == "a loop of triggers: G-1 > G-2 > G-1"
    assert [each["details"]["chain"] for each in told["items"]] == ["G-1 > G-2 > G-1"]
