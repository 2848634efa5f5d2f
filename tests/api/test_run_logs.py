"""Logs of runs: read by anybody who may, and followed until the run is over."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.kernel.principal import Role, TenantId
from core.runs import calls
from core.runs.model import Run
from core.runs.reports import LogReport, Outcome
from tests.api.gateway import Gateway, Person
from tests.api.run_sets import a_held_run, admin_of, held_run, told
from tests.integration.served import Follower, Served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway on a socket."""
    server = Served(tmp_path / "data")
    await server.start()
    yield server
    await server.stop()


def says(served: Served, run: Run, text: str, step: str = "build") -> None:
    told(served, run, LogReport(step=step, text=text))


def end(served: Served, run: Run) -> None:
    outcome = Outcome(status="succeeded")
    served.graph.db.run(
        lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=outcome),
        by=admin_of(served),
    )


def path_of(run: Run) -> str:
    return f"/v1/runs/{run.id}/logs"


async def chunk(follower: Follower) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((await follower.event()).data)
    return found


# ── following ─────────────────────────────────────────────────────────────────
async def test_what_is_printed_comes_as_it_is_printed_and_then_the_end(
    served: Served,
) -> None:
    """M-RUN-19: live, by server-sent events."""
    run = held_run(served)
    says(served, run, "one\n")

    async with served.following("?follow=true", path=path_of(run)) as follower:
        first = await chunk(follower)
        says(served, run, "two \x1b[31mred\n", "test")
        second = await chunk(follower)
        end(served, run)
        (last,) = await follower.rest()

    assert (first["text"], first["step"], first["first_line"]) == ("one\n", "build", 1)
    assert (second["text"], second["first_line"]) == ("two \x1b[31mred\n", 2)
    assert last.event == "end"
    assert orjson.loads(last.data)["status"] == "succeeded"


async def test_who_comes_back_misses_and_repeats_nothing(served: Served) -> None:
    run = held_run(served)
    says(served, run, "one\ntwo\n")
    async with served.following("?follow=true", path=path_of(run)) as follower:
        await chunk(follower)
        place = follower.last_id
    says(served, run, "three\n")
    end(served, run)

    async with served.following(
        "?follow=true&tail=50", path=path_of(run), last_id=place
    ) as follower:
        rest = await follower.rest()

    assert place == "8"
    assert [orjson.loads(each.data).get("text") for each in rest] == ["three\n", None]


async def test_a_follower_begins_with_the_last_lines_or_with_a_step(
    served: Served,
) -> None:
    run = held_run(served)
    says(served, run, "one\ntwo\nthree\n")
    says(served, run, "four\n", "test")
    end(served, run)

    async def texts(query: str) -> list[str]:
        async with served.following(query, path=path_of(run)) as follower:
            *found, _ = await follower.rest()
        return [orjson.loads(each.data)["text"] for each in found]

    assert await texts("?follow=true&tail=2") == ["three\n", "four\n"]
    assert await texts("?follow=true&step=test") == ["four\n"]
    assert await texts("?follow=true&offset=4") == ["two\nthree\n", "four\n"]


@pytest.mark.parametrize(
    ("query", "status"),
    [("&tail=x", 400), ("&offset=-1", 400), ("&page=1", 400), ("&tail=5000", 400)],
)
async def test_what_cannot_be_followed_is_refused(
    gateway: Gateway, query: str, status: int
) -> None:
    a_held_run(gateway)

    answer = await gateway.admin.get(f"/v1/runs/R-1/logs?follow=true{query}")

    assert answer.status == status


async def test_a_run_of_somebody_else_is_none(gateway: Gateway) -> None:
    """R-24: neither with nor without following."""
    a_held_run(gateway)
    zulu = gateway.person("zoe", Role.ADMIN, tenant=TenantId("zulu"))
    poor = gateway.person("poor", scopes=("tasks:read",))

    for query in ("", "?follow=true"):
        assert (await zulu.get(f"/v1/runs/R-1/logs{query}")).status == 404
        assert (await poor.get(f"/v1/runs/R-1/logs{query}")).status == 403


# ── reading ───────────────────────────────────────────────────────────────────
async def test_a_log_is_read_on_from_where_it_ended(gateway: Gateway) -> None:
    a_held_run(gateway)

    first = (await gateway.admin.get("/v1/runs/R-1/logs?offset=0")).body
    rest = await gateway.admin.get(f"/v1/runs/R-1/logs?offset={first['next_offset']}")

    assert [line["text"] for line in first["lines"]] == [
        "one",
        "two",
        "\x1b[31mthree\x1b[0m",
    ]
    assert (first["total_lines"], first["is_over"]) == (3, False)
    assert rest.body["lines"] == []


async def test_what_is_shown_is_harmless_and_short(
    gateway: Gateway, ann: Person
) -> None:
    """R-68: at most fifty lines, and no escape reaches a terminal."""
    run = held_run(gateway)
    told(gateway, run, LogReport(text="\x1b]0;x\x07\x1b[31mred\n" * 80))

    reply = (await ann.say(f"run logs {run.id} --tail 80")).body

    shown = reply["blocks"][0]["text"]
    assert shown == "\n".join(["red"] * 50)
    assert len(reply["data"]["lines"]) == 80


async def test_a_run_that_printed_nothing_says_so(gateway: Gateway) -> None:
    held_run(gateway)

    reply = await gateway.admin.say("run logs R-1")

    assert reply.body["summary"] == "R-1 has printed nothing yet"
