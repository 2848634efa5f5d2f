"""The end of a job by mail: one mail, in the thread in which it was asked for."""

from channels.testing.mailbox import Received
from core.database import Tx
from core.kernel.principal import system
from core.runs import calls, claims
from core.runs.model import Progress, RunError
from core.runs.reports import Outcome, Wanted
from tests.integration.email.conftest import OPS, Post


async def test_the_end_of_a_job_is_one_mail_in_its_thread(post: Post) -> None:
    """M-RUN-19: nothing of what is in between is mailed."""
    post.write("!job create 'Release notes'", subject="Notes")
    [begun] = await post.answers(1)
    post.gateway.graph.db.run(work, by=system(name="worker"))
    _, ended = await post.answers(2)
    post.write("!version")
    mails = await post.answers(3)

    asked, _ = post.mailbox.received(OPS)
    assert len(mails) == 3
    assert "J-1" in _text(begun)
    assert "J-1 Release notes failed: no_provider: it is down" in _text(ended)
    assert str(asked.mail["Message-ID"]) in str(ended.mail["References"])


def work(tx: Tx) -> None:
    """Do what a worker does whose step fails."""
    (run,) = claims.claim(tx, Wanted(worker="w1"))
    for done in (1, 2, 3):
        progress = Progress(done=done, total=4)
        calls.beat(tx, run.id, fence=run.fence, progress=progress)
    error = RunError(code="no_provider", detail="it is down", step="generate")
    outcome = Outcome(status="failed", error=error, is_final=True)
    calls.complete(tx, run.id, fence=run.fence, outcome=outcome)


def _text(received: Received) -> str:
    body = received.mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
