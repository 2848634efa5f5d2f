"""A mail to a delivery, whatever its bytes are."""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from channels.email.authentication import SenderCheck
from channels.email.receiving import Receiver, thread_of
from channels.email.wire import EmailWire
from core.database import Database
from core.kernel.jsons import Json, canonical_json
from core.kernel.principal import DEFAULT_TENANT
from gateway.mail_memory import StoredMails
from tests.conftest import FakeClock
from tests.unit.channels.email_io.signing import dns_of, mail_from, sign

OPS, ANN, MX = "ops@example.org", "ann@example.org", "mx.example.org"
PASS = f"Authentication-Results: {MX}; dmarc=pass header.from=example.org\r\n"
REPLIES = Path(__file__).parents[3] / "fixtures" / "mail" / "replies"
MUTANTS = 600


@pytest.fixture
def receiver(db: Database, clock: FakeClock) -> Receiver:
    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    check = SenderCheck(authserv_id=MX, look_up=dns_of())
    return Receiver(OPS, check=check, tokens=mails, sent=mails, clock=clock)


def mutants() -> Iterator[bytes]:
    """Give mails in which one byte in 250 is another one."""
    chance = random.Random(7)
    samples = [
        PASS.encode() + path.read_bytes() for path in sorted(REPLIES.glob("*.eml"))
    ]
    assert samples
    for number in range(MUTANTS):
        raw = bytearray(samples[number % len(samples)])
        for _ in range(max(1, len(raw) // 250)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        yield bytes(raw)


async def test_proven_mail_is_stored_for_its_sender_under_its_id(
    receiver: Receiver,
) -> None:
    delivery = await receiver.receive(mail_from(ANN, head=PASS))

    assert (delivery.account, delivery.sender) == (OPS, ANN)
    assert delivery.key == "<1@example.org>"
    assert delivery.payload["assurance"] == 1
    assert delivery.payload["thread"] == "<1@example.org>"


async def test_mail_without_an_id_is_known_by_its_bytes(receiver: Receiver) -> None:
    raw = mail_from(ANN, head=PASS).replace(b"Message-ID: <1@example.org>\r\n", b"")

    first, again = await receiver.receive(raw), await receiver.receive(raw)
    other = await receiver.receive(raw + b"more\r\n")

    assert first.key == again.key
    assert first.key.startswith("sha256:")
    assert first.key != other.key


async def test_unproven_mail_keeps_its_facts_and_not_its_text(
    receiver: Receiver,
) -> None:
    delivery = await receiver.receive(mail_from(ANN))

    assert delivery.sender == f"unverified:{ANN}"
    assert delivery.payload["refusal"]
    assert "task list" not in canonical_json(dict(delivery.payload)).decode()


async def test_mail_of_a_machine_is_kept_with_the_reason(receiver: Receiver) -> None:
    raw = mail_from(ANN, head=f"{PASS}Auto-Submitted: auto-replied\r\n")

    delivery = await receiver.receive(raw)

    assert delivery.payload["silence"] == "it was sent automatically"


async def test_mail_from_before_the_inbox_forgets_is_told_so(
    db: Database, clock: FakeClock
) -> None:
    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    check = SenderCheck(authserv_id=MX, look_up=dns_of())
    receiver = Receiver(
        OPS,
        check=check,
        tokens=mails,
        sent=mails,
        clock=clock,
        kept=timedelta(days=2),
    )
    raw = mail_from(ANN, head=PASS)

    clock.advance(timedelta(days=1))
    in_time = await receiver.receive(raw)
    clock.advance(timedelta(days=1))
    too_late = await receiver.receive(raw)

    assert in_time.payload["fault"] == ""
    assert "too long ago" in str(too_late.payload["fault"])


async def test_slow_name_servers_are_waited_for_side_by_side(
    db: Database, clock: FakeClock
) -> None:
    """Each look-up ends only once all four have begun."""
    meeting = Barrier(4)

    def look_up(_: str) -> None:
        meeting.wait(timeout=10)

    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    check = SenderCheck(authserv_id=MX, look_up=look_up)
    receiver = Receiver(OPS, check=check, tokens=mails, sent=mails, clock=clock)
    raw = sign(mail_from(ANN), "example.org")

    deliveries = await asyncio.gather(*(receiver.receive(raw) for _ in range(4)))

    assert all(each.payload["refusal"] for each in deliveries)


async def test_mutated_mails_are_stored_and_nobody_unproven_is_answered(
    receiver: Receiver, clock: FakeClock
) -> None:
    """R-56: no byte that is another one ends the reader or reaches a stranger."""
    wire, proven = EmailWire(), 0
    for raw in mutants():
        delivery = await receiver.receive(raw)
        canonical_json(dict(delivery.payload))
        inbound = wire.parse(delivery.payload, account=OPS, received_at=clock.now())
        is_proven = delivery.payload["assurance"] != 0
        proven += is_proven
        assert is_proven or not inbound.reply_to
        assert is_proven or inbound.problem or inbound.skipped
    assert 0 < proven < MUTANTS


@pytest.mark.parametrize(
    ("references", "in_reply_to", "expected"),
    [
        (["<a>", "<b>"], "<b>", "<a>"),
        ([], "<b>", "<b>"),
        ([], "", "<c>"),
    ],
)
def test_thread_is_named_by_the_mail_that_began_it(
    references: list[str], in_reply_to: str, expected: str
) -> None:
    payload: dict[str, Json] = {
        "references": [*references],
        "in_reply_to": in_reply_to,
        "message_id": "<c>",
    }

    assert thread_of(payload) == expected
