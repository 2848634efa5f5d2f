"""What is shown once is stored nowhere."""

import logging
from typing import Annotated

import pytest

from commands.context import Context
from commands.registry import command
from commands.schema import Secret
from core.kernel.reply import Reply
from tests.api.gateway import Gateway

MASK = "(shown once)"
SECRET = "correct-horse-battery-staple"


@command("safe put", scope="keys:write", danger="write", examples=["safe put mail x"])
def put(
    ctx: Context, name: str, value: Annotated[str, Secret()], *, size: int = 0
) -> Reply:
    """Take a secret and keep nothing of it."""
    return Reply(summary=f"{name} has {len(value)} characters", data={"size": size})


def on_disk(gateway: Gateway) -> bytes:
    """Read the database's files, the log that is not merged yet included."""
    gateway.audits()
    folder = gateway.path.parent
    return b"".join(each.read_bytes() for each in folder.glob(f"{gateway.path.name}*"))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("key create ci --scopes tasks:read", "key"),
        ("key rotate {key} --overlap 1h", "key"),
        ("user invite ann", "token"),
    ],
)
async def test_a_secret_is_in_the_answer_and_nowhere_else(
    gateway: Gateway, line: str, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R-62, R-69."""
    caplog.set_level(logging.DEBUG)
    key_id = gateway.person("ann").key_id

    shown = await gateway.admin.say(line.format(key=key_id), key="once")
    again = await gateway.admin.say(line.format(key=key_id), key="once")
    stored = await gateway.admin.get(f"/v1/replies/{shown.body['id']}")

    secret = shown.data[field]
    assert secret.encode() in shown.raw
    assert len(secret) > 32
    assert again.data == {**shown.data, field: MASK}
    assert stored.body["data"][field] == MASK
    for raw in (again.raw, stored.raw, on_disk(gateway), caplog.text.encode()):
        assert secret.encode() not in raw


async def test_a_made_key_works_and_is_listed_by_its_beginning(
    gateway: Gateway,
) -> None:
    """R-62."""
    made = await gateway.admin.post(
        "/v1/keys", {"name": "ci", "scopes": ["tasks:read"]}
    )
    listed = await gateway.admin.get("/v1/keys")

    assert made.status == 201
    assert made.body["key"].startswith(made.body["prefix"])
    assert made.body["prefix"] in {each["prefix"] for each in listed.body["items"]}
    assert made.body["key"].encode() not in listed.raw


async def test_a_rehearsed_key_is_not_shown_for_it_would_not_work(
    gateway: Gateway,
) -> None:
    """M-AUTH-04: a dry run makes no key, so it has none to show."""
    rehearsed = await gateway.admin.say("key create ci --dry-run")

    assert rehearsed.data["key"] == MASK
    assert b"ops_live_" not in rehearsed.raw.replace(
        rehearsed.data["prefix"].encode(), b""
    )


@pytest.mark.parametrize(
    "line",
    [
        f"safe put mail {SECRET}",
        f"safe put mail --value {SECRET} --size 7",
        f"safe put mail {SECRET} --size many",
        f"safe put mail {SECRET} --sise 7",
        f"safe put mail {SECRET} {SECRET}",
        f"safe put mail {SECRET} --dry-run",
    ],
)
async def test_a_secret_that_is_given_is_repeated_nowhere(
    gateway: Gateway, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R-69: neither in the answer, right or wrong, nor on disk, nor in the log."""
    caplog.set_level(logging.DEBUG)
    gateway.graph.registry.add(put)

    answer = await gateway.admin.say(line, key="once")
    again = await gateway.admin.say(line, key="once")

    told = gateway.audits()[-1]
    assert told.actor == "admin"
    assert told.action in ("safe put", "message")
    for raw in (answer.raw, again.raw, on_disk(gateway), caplog.text.encode()):
        assert SECRET.encode() not in raw
