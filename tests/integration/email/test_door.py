"""When there is a mail door, what it needs, and what it says of itself."""

import logging
import subprocess
import sys

import pytest

from channels.base import Health
from core.kernel.problems import InvalidArgument
from gateway.settings import EmailSettings
from tests.integration.conftest import Serving
from tests.integration.email.conftest import OPS, Post, until

MAILBOX = {
    "address": OPS,
    "imap_url": "imap://ops%40example.org:x@127.0.0.1:1/INBOX",
    "smtp_url": "smtp://ops%40example.org:x@127.0.0.1:1",
}


def test_gpl_library_is_not_loaded_without_a_mailbox() -> None:
    """The base is Apache-2.0; the extra is reached where a mailbox is set alone."""
    check = "import sys, gateway.bootstrap; sys.exit('aioimaplib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


async def test_missing_extra_is_told_with_its_fix(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aioimaplib", None)

    gateway = await serving(email=EmailSettings.model_validate(MAILBOX))

    [door] = [each for each in gateway.graph.doors if each.spec.name == "email"]
    [health] = door.healths()
    assert health.link.value == "degraded"
    assert "opswire[email]" in health.fix
    assert door.prober is not None
    [step] = await door.prober.probe(OPS)
    assert not step.is_ok


@pytest.mark.parametrize(
    "change",
    [
        {"address": "ops"},
        {"imap_url": "https://example.org"},
        {"imap_url": ""},
        {"smtp_url": "imap://example.org"},
    ],
    ids=str,
)
async def test_mailbox_that_cannot_be_read_stops_the_start_with_a_fix(
    serving: Serving, change: dict[str, str]
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await serving(email=EmailSettings.model_validate(MAILBOX | change))

    assert refusal.value.fix


async def test_outage_is_logged_when_it_begins_and_when_it_ends(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="channels.email")
    [door] = [each for each in post.gateway.graph.doors if each.spec.name == "email"]
    [health] = door.healths()
    await until(lambda: health.link.value == "connected")
    await post.mailbox.imap.stop()
    await until(lambda: health.reconnects >= 4)
    await post.mailbox.imap.start()
    await until(lambda: health.link.value == "connected")

    told = [each.message for each in caplog.records if each.name.startswith("channels")]
    assert told == ["email.down", "email.recovered"]
    assert_is_silent_about_secrets(caplog, post, health)


def assert_is_silent_about_secrets(
    caplog: pytest.LogCaptureFixture, post: Post, health: Health
) -> None:
    password = post.mailbox.boxes.passwords[OPS]
    assert password not in caplog.text
    assert password not in f"{health}"
