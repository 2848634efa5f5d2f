"""Whoever asked for a run sees how far it is, and is told its end once."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core.database import Tx
from core.delivery.outbox.model import PROGRESS_PAUSE
from core.events import service as events
from core.events.model import EventFilter
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, system
from core.runs import calls, claims, sweep
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.model import NewRun, Progress, ReplyTo, Run, RunError
from core.runs.reports import (
    LogReport,
    Outcome,
    Report,
    StepReport,
    StepStatus,
    Wanted,
)
from gateway.run_news import RunNews
from tests.api.channels import Writer, delivered
from tests.api.gateway import Gateway, Person
from tests.api.rooms import Room, open_room

MAIL = {"to": "ann@example.org", "subject": "Deploy"}
WORKER = system(name="worker")


@pytest.fixture
async def room(gateway: Gateway, ann: Person) -> Room:
    """A room in which ann talks."""
    return await open_room(gateway)


def principal(gateway: Gateway, name: str = "ann") -> Principal:
    """Ann, as she asks."""
    by = system()
    user = gateway.graph.db.run(lambda tx: users.find_by_name(tx, name), by=by)
    assert user is not None
    return to_principal(user, Assurance.SECRET)


def mailed(gateway: Gateway) -> Run:
    """Have ann ask for a run by mail."""
    there = ReplyTo(channel="email", account="ops", place=MAIL)
    new = NewRun(kind="manual", alias="deploy", reply_to=there)
    return gateway.graph.db.run(lambda tx: runs.create(tx, new), by=principal(gateway))


def claimed(gateway: Gateway) -> Run:
    """Have a worker take the next run."""
    (run,) = work(gateway, lambda tx: claims.claim(tx, Wanted(worker="w1")))
    return run  # type: ignore[no-any-return]


def told(gateway: Gateway, run: Run, *reports: Report) -> None:
    """Have the worker tell something."""
    work(gateway, lambda tx: calls.report(tx, run.id, fence=run.fence, reports=reports))


def ended(gateway: Gateway, run: Run, outcome: Outcome) -> None:
    """Have the worker end the attempt."""
    work(
        gateway, lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=outcome)
    )


def work(gateway: Gateway, unit: Any) -> Any:
    return gateway.graph.db.run(unit, by=WORKER)


async def mails(gateway: Gateway) -> list[dict[str, Any]]:
    """Read what is on its way to ann by mail."""
    await gateway.graph.outward.reactor.react_to_news()
    return delivered(gateway, {"to": MAIL["to"]})


def blocks_of(reply: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in reply["blocks"] if each["t"] == kind]


BEGUN = EventFilter(types=frozenset({"run_claimed"}))
SUCCEEDED = Outcome(status="succeeded", result={})


async def start(room: Room) -> None:
    """Have ann start a run, and agree to it."""
    await room.say("run start demo-deploy env=staging")
    await room.say("confirm")


# ── where messages can be edited ──────────────────────────────────────────────
async def test_progress_is_one_message_that_changes_and_the_end_another(
    gateway: Gateway, room: Room
) -> None:
    """M-RUN-19: the answer shows how far the run is; its end is told once."""
    await start(room)
    at_first = len(room.shown)
    run = claimed(gateway)
    seen = []
    for step in run.steps[:2]:
        told(gateway, run, StepReport(step=step.name, status=StepStatus.RUNNING))
        await room.settle()
        seen.append(room.courier.delivered[-1])
        told(gateway, run, StepReport(step=step.name, status=StepStatus.SUCCEEDED))
    gateway.clock.advance(timedelta(seconds=72) - 4 * PROGRESS_PAUSE)
    ended(gateway, run, SUCCEEDED)
    await room.settle()

    assert all(each.edits for each in seen)
    assert len({each.edits for each in seen}) == 1
    bars = [
        (block.done, block.total)
        for each in seen
        for block in each.reply.blocks
        if block.t == "progress"
    ]
    assert bars == [(0, len(run.steps)), (1, len(run.steps))]
    assert len(room.shown) == at_first + 1
    finals = [text for text in room.shown.values() if "succeeded in" in text]
    assert len(finals) == 2  # the card as it was left, and the news


async def test_a_flood_of_progress_is_one_edit(gateway: Gateway, room: Room) -> None:
    """M-RUN-19: at most one edit in two seconds, whatever a worker tells."""
    await start(room)
    run = claimed(gateway)
    await room.settle()
    before = len(room.courier.delivered)

    for done in range(50):
        told(gateway, run, Progress(done=done, total=50))
    await room.settle()

    assert len(room.courier.delivered) == before + 1


async def test_an_answer_that_cannot_be_edited_gets_a_card_beside_it(
    gateway: Gateway, room: Room
) -> None:
    """What answers a slash command goes out by response_url, and stays as it is."""
    news = RunNews("http://ops.example", frozenset({"slack"}))
    away = {"response_url": "https://hooks.example"}
    await room.say("run start demo-deploy env=staging", **away)
    await room.say("confirm", **away)
    before = len(room.shown)
    run = claimed(gateway)
    (begun,) = work(gateway, lambda tx: events.list_after(tx, 0, BEGUN, limit=9))

    work(gateway, lambda tx: news.react(tx, begun))
    work(gateway, lambda tx: news.react(tx, begun))
    await room.settle()
    told(gateway, run, StepReport(step="build", status=StepStatus.RUNNING))
    await room.settle()
    ended(gateway, run, SUCCEEDED)
    await room.settle()

    texts = list(room.shown.values())[before:]
    assert len(texts) == 2
    assert all("succeeded in" in text for text in texts)


async def test_who_asked_in_private_is_told_in_person(
    gateway: Gateway, room: Room
) -> None:
    await room.say("job create Notes --private")
    await room.say("run start demo-deploy env=staging --private")
    await room.say("confirm")

    for run_id in ("R-1", "R-2"):
        run = gateway.graph.db.look(partial(runs.get_, run_id=run_id), by=system())
        assert run.reply_to.place == {"user": "U1"}


# ── by mail ───────────────────────────────────────────────────────────────────
async def test_by_mail_only_the_end_is_told_and_once(
    gateway: Gateway, ann: Person
) -> None:
    """M-RUN-19: in the thread, with what the run left behind."""
    await mails(gateway)
    made = mailed(gateway)
    run = claimed(gateway)
    told(gateway, run, StepReport(step="build", status=StepStatus.RUNNING))
    work(
        gateway,
        lambda tx: artifacts.put(
            tx, subject=run.id, name="plan.md", kind="file", content=b"# Plan"
        ),
    )
    gateway.clock.advance(timedelta(seconds=72))
    ended(gateway, run, SUCCEEDED)

    (mail,) = await mails(gateway)
    again = await mails(gateway)

    assert mail["summary"] == f"{made.id} succeeded in 1m 12s"
    (link,) = blocks_of(mail, "link")
    assert link["label"] == "plan.md (6 B)"
    assert link["url"].startswith("http")
    assert link["url"].endswith("/r/A-1")
    assert again == [mail]


async def test_a_failure_says_where_and_shows_the_last_lines(
    gateway: Gateway, ann: Person
) -> None:
    """M-RUN-24: with the step, its output, and what to press."""
    await mails(gateway)
    mailed(gateway)
    run = claimed(gateway)
    told(gateway, run, StepReport(step="migrate", status=StepStatus.RUNNING))
    told(gateway, run, LogReport(step="migrate", text="one\n\x1b[31mboom\x1b[0m\n"))
    error = RunError(code="exit_code", detail="migrate ended with 1", step="migrate")
    ended(gateway, run, Outcome(status="failed", error=error, is_final=True))

    (mail,) = await mails(gateway)

    assert "failed" in mail["summary"]
    (code,) = blocks_of(mail, "code")
    assert code["text"] == "one\nboom"
    (link,) = blocks_of(mail, "link")
    assert link["url"].endswith(f"/r/{run.id}?step=migrate#L2")
    (actions,) = blocks_of(mail, "actions")
    lines = [each["command"] for each in actions["items"]]
    assert f"run retry {run.id}" in lines
    assert f"run logs {run.id} --step migrate" in lines


async def test_a_worker_that_died_is_told_of_and_the_end_after_that(
    gateway: Gateway, ann: Person
) -> None:
    """M-RUN-24: stuck and queued again; the late worker is not heard."""
    await mails(gateway)
    mailed(gateway)
    run = claimed(gateway)
    gateway.clock.advance(timedelta(minutes=5))

    work(gateway, sweep.sweep)
    lost = await mails(gateway)
    second = claimed(gateway)
    ended(gateway, second, SUCCEEDED)

    stuck = f"{run.id} is stuck: its worker w1 fell silent after attempt 1 of 3"
    assert [each["summary"] for each in lost] == [f"{stuck}; it is tried again"]
    assert len(await mails(gateway)) == 2


# ── nobody is told twice, or what is not theirs ───────────────────────────────
async def test_who_also_watches_is_told_the_end_once(
    gateway: Gateway, ann: Person
) -> None:
    await mails(gateway)
    writer = Writer(gateway, "email", MAIL["to"], account="ops").link_to("ann")
    writer.place = MAIL
    made = mailed(gateway)
    await writer.say(f"watch {made.id}")

    ended(gateway, claimed(gateway), SUCCEEDED)

    told_ends = [
        each["summary"]
        for each in await mails(gateway)
        if "succeeded" in each["summary"]
    ]
    assert len(told_ends) == 1


async def test_who_cancels_it_there_is_answered_and_not_told(
    gateway: Gateway, ann: Person
) -> None:
    await mails(gateway)
    writer = Writer(gateway, "email", MAIL["to"], account="ops").link_to("ann")
    writer.place = MAIL
    made = mailed(gateway)

    await writer.say(f"run cancel {made.id}")
    await writer.say("confirm")

    run = gateway.graph.db.look(lambda tx: runs.get_(tx, made.id), by=system())
    assert run.status == "cancelled"
    assert not await mails(gateway)


async def test_who_asked_where_nobody_can_be_told_is_told_nothing(
    gateway: Gateway, ann: Person
) -> None:
    await mails(gateway)

    def make(tx: Tx) -> None:
        runs.create(tx, NewRun(kind="manual"))

    gateway.graph.db.run(make, by=principal(gateway))
    ended(gateway, claimed(gateway), SUCCEEDED)

    assert not await mails(gateway)


async def test_who_was_disabled_is_told_nothing(gateway: Gateway, ann: Person) -> None:
    await mails(gateway)
    mailed(gateway)
    disabled = await gateway.admin.post("/v1/users/ann/disable")
    assert disabled.status == 200, disabled

    ended(gateway, claimed(gateway), SUCCEEDED)

    assert not await mails(gateway)


async def test_somebody_else_watches_a_run(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await mails(gateway)
    writer = Writer(gateway, "email", "bob@example.org", account="ops").link_to("bob")
    writer.place = {"to": "bob@example.org"}
    made = mailed(gateway)

    watched = await writer.say(f"watch {made.id}")
    ended(gateway, claimed(gateway), SUCCEEDED)
    await mails(gateway)

    assert watched.summary == f"You will hear of {made.id} by email"
    (*_, last) = delivered(gateway, {"to": "bob@example.org"})
    assert last["summary"].startswith(f"{made.id}: run succeeded")
