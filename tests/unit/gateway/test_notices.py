"""Notices: a sender is told of the same thing once a minute."""

from core.delivery.model import InboxKey
from core.kernel.principal import DEFAULT_TENANT
from gateway.notices import Notices

MESSAGE = InboxKey(DEFAULT_TENANT, "slack", "acme", "U1", "m1")


def test_a_sender_is_told_once_a_minute() -> None:
    seconds = [100.0]
    notices = Notices(lambda: seconds[0])

    assert notices.is_due(MESSAGE, "not_linked")
    notices.note(MESSAGE, "not_linked")
    assert not notices.is_due(MESSAGE._replace(key="m2"), "not_linked")
    assert notices.is_due(MESSAGE, "rate_limited")
    assert notices.is_due(MESSAGE._replace(sender="U2"), "not_linked")

    seconds[0] += 60
    assert notices.is_due(MESSAGE, "not_linked")
