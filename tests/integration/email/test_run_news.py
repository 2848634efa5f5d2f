"""The end of a job by mail: one mail, in the thread in which it was asked for."""

from channels.testing.mailbox import Received
from tests.integration.email.conftest import OPS, Post


async def test_the_end_of_a_job_is_one_mail_in_its_thread(post: Post) -> None:
    """M-RUN-19: done by the gateway's own worker; nothing in between is mailed."""
    post.write("!job create 'Release notes'", subject="Notes")
    begun, ended = await post.answers(2)
    post.write("!version")
    mails = await post.answers(3)

    asked, _ = post.mailbox.received(OPS)
    assert len(mails) == 3
    assert "J-1" in _text(begun)
    assert "to review" in _text(ended)
    assert str(asked.mail["Message-ID"]) in str(ended.mail["References"])


def _text(received: Received) -> str:
    body = received.mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
