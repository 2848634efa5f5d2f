"""What a line of the log says."""

import logging
from collections.abc import Iterator
from io import StringIO

import orjson
import pytest

from core.delivery.model import InboxKey
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.problems import RateLimited
from gateway.holds import Held, Holds
from gateway.logs import set_up_logs

FLOODED = InboxKey(DEFAULT_TENANT, "webhook", "W-1", "", "m1")


@pytest.fixture
def stream() -> Iterator[StringIO]:
    """Where the log goes meanwhile; afterwards it goes where it went."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = StringIO()
    set_up_logs("INFO", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_flood_is_told_with_its_account_its_reason_and_its_count(
    stream: StringIO,
) -> None:
    holds = Holds()
    limit = RateLimited("5/minute", scope="channel webhook", retry_after=3)

    for _ in range(2):
        holds.note(FLOODED, limit, is_first=True)
    holds.end(Held(DEFAULT_TENANT, "webhook", "W-1"))

    first, last = map(orjson.loads, stream.getvalue().splitlines())
    assert (first["event"], first["phase"]) == ("intake.limited", "begins")
    assert (first["channel"], first["account"]) == ("webhook", "W-1")
    assert "5/minute for channel webhook" in first["reason"]
    assert (last["phase"], last["waited"]) == ("ends", 2)


def test_what_nobody_has_agreed_on_is_not_told(stream: StringIO) -> None:
    """Least of all a secret that somebody put beside an event."""
    logging.getLogger("gateway").info("x", extra={"token": "hush", "tenant": "acme"})

    assert "hush" not in stream.getvalue()
    assert '"tenant": "acme"' in stream.getvalue()
