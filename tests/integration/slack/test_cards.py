"""Cards, watches and progress as people see them in Slack, through a whole gateway."""

import asyncio

from channels.testing.slack import FakeSlack
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft, OutboxState
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import system
from core.kernel.reply import Reply
from tests.integration.slack.conftest import (
    ANN,
    OPS,
    ServeSlack,
    SlackGateway,
    until,
)


async def say(slack: SlackGateway, line: str) -> None:
    """Say something over the API, as the admin."""
    async with slack.served.client() as client:
        answer = await client.post("/v1/commands", json={"line": line})
    assert answer.status_code == 200, answer.text


async def test_the_answer_to_a_mention_is_a_live_card(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """M-OMN: one message for each object in a conversation, edited in place."""
    slack = await serve_slack()
    slack.link("ann", ANN)
    await fake.people.mention(ANN, OPS, 'task create "Fix login"')
    [card] = await slack.answered()
    at_first = card.text

    await say(slack, "task claim T-1")
    await until(lambda: "claimed" in card.text)
    await say(slack, "task move T-1 abandoned --reason obsolete")
    await until(lambda: "abandoned" in card.text)

    assert "Created T-1" in at_first
    assert len(slack.answers()) == 1


async def test_what_ann_watches_is_told_in_her_thread(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """M-OMN: told by somebody else's door, in one message, and the end in another."""
    slack = await serve_slack()
    slack.link("ann", ANN)
    await say(slack, 'task create "Fix login"')
    await fake.people.mention(ANN, OPS, "watch T-1")
    await slack.answered(1)

    await say(slack, "task claim T-1")
    await slack.answered(2)
    await say(slack, "task note T-1 nearly")
    news = slack.answers()[-1]
    await until(lambda: "note" in news.text)
    await say(slack, "task move T-1 abandoned --reason obsolete")
    await slack.answered(3)

    assert "is abandoned" in slack.answers()[-1].text
    assert {each.channel for each in slack.answers()} == {OPS}


async def test_a_storm_delays_progress_and_the_final_arrives(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-09: a hundred updates amid 429s are a message or two, and the final is last."""
    slack = await serve_slack()
    for _ in range(3):
        fake.script.add("429:1", method="chat.postMessage")

    for number in range(100):
        _post(slack, f"p{number}", f"{number} of 100", Lane.PROGRESS)
        await asyncio.sleep(0)
    _post(slack, "final", "all 100 done", Lane.FINALS)
    await until(lambda: _is_sent(slack), patience=20)

    texts = [each.text for each in slack.answers()]
    assert len(texts) <= 2
    assert texts[-1] == "all 100 done"


def _post(slack: SlackGateway, key: str, summary: str, lane: Lane) -> None:
    draft = OutboxDraft(
        key=key,
        channel="slack",
        account="default",
        place={"channel": OPS, "user": ANN, "private": False},
        body=to_json(Reply(id=f"rp_{key}", summary=summary)).decode(),
        lane=lane,
        subject="run:R-1",
    )
    slack.served.graph.db.run(lambda tx: outbox.post(tx, draft), by=system())
    slack.served.graph.outward.postman.bell.ring()


def _is_sent(slack: SlackGateway) -> bool:
    def look(tx: Tx) -> bool:
        found = outbox.list_(tx, limit=1).items[0]
        return found.key == "final" and found.state is OutboxState.SENT

    return slack.served.graph.db.look(look, by=system())
