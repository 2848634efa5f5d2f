"""A Slack and a mail server on loopback, for a gateway that has all channels on."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

from channels.testing.mailbox import MailboxSimulator
from channels.testing.slack import FakeSlack

ADDRESS = "ops@example.org"

_START_SECONDS = 30


@contextmanager
def simulators() -> Iterator[Mapping[str, str]]:
    """Run both beside the benchmark; give the settings that connect a gateway to them."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="simulators", daemon=True)
    thread.start()
    slack, mailbox = FakeSlack(), MailboxSimulator()

    async def start() -> None:
        await slack.start()
        await mailbox.start()

    async def stop() -> None:
        await mailbox.stop()
        await slack.stop()

    asyncio.run_coroutine_threadsafe(start(), loop).result(_START_SECONDS)
    try:
        yield {
            "OPSWIRE_SLACK__BOT_TOKEN": slack.bot_token,
            "OPSWIRE_SLACK__APP_TOKEN": slack.app_token,
            "OPSWIRE_SLACK__API_URL": slack.url,
            "OPSWIRE_EMAIL__ADDRESS": ADDRESS,
            "OPSWIRE_EMAIL__IMAP_URL": mailbox.imap_url(ADDRESS),
            "OPSWIRE_EMAIL__SMTP_URL": mailbox.smtp_url(ADDRESS),
        }
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
