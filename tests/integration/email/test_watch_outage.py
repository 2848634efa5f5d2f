"""What is watched by mail is told once the mail server is back."""

from channels.testing.mailbox import SmtpFault
from tests.integration.email.conftest import ANN, Post, until
from tests.integration.served import Served


async def test_the_newest_news_is_mailed_after_an_outage(post: Post) -> None:
    """R-15: however often it was tried meanwhile; what is left out says so."""
    served = post.gateway
    await say(served, "task create Fix")
    post.write("!watch T-1")
    await post.answers(1)
    post.mailbox.faults.plan(SmtpFault.CLOSING, times=5)

    await say(served, "task note T-1 one")
    await until(lambda: hurry(post) and tries(post) >= 4)
    await say(served, "task note T-1 two")
    await until(lambda: hurry(post) and len(post.mailbox.received(ANN)) == 2)
    await say(served, "task note T-1 three")
    await until(lambda: hurry(post) and states(post) == ["sent", "skipped"])

    assert len(post.mailbox.received(ANN)) == 2
    await say(served, "task move T-1 abandoned --reason obsolete")
    await post.answers(3)


async def say(served: Served, line: str) -> None:
    """Run a line over REST, which is another channel than the one that watches."""
    async with served.client() as client:
        answer = await client.post("/v1/commands", json={"line": line})
        assert answer.status_code < 300, answer.text


def hurry(post: Post) -> bool:
    """Let the time pass that the postman waits between its tries."""
    with post.gateway.graph.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET due_at = 0")
        connection.exec_driver_sql("DELETE FROM outbox_pauses")
    post.gateway.graph.outward.postman.bell.ring()
    return True


def tries(post: Post) -> int:
    """Count how often the news that wait were tried."""
    news = "SELECT COALESCE(MAX(attempts), 0) FROM outbox WHERE subject LIKE 'watch:%'"
    return int(post.ask(news)[0][0])


def states(post: Post) -> list[str]:
    """Tell what became of the news, the oldest first."""
    rows = post.ask(
        "SELECT state FROM outbox WHERE subject LIKE 'watch:%' ORDER BY number"
    )
    return [str(state) for (state,) in rows]
