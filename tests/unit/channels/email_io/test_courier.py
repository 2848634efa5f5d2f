"""Which parcels become mails, and which the person has had enough of."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.base import Health, Parcel, Postponed, Skipped, Undeliverable
from channels.email.courier import MailCourier, message_id_of
from channels.email.loops import bounced_ids
from channels.email.memory import Sent
from channels.email.servers import parse_smtp
from channels.email.smtp import SmtpSender
from channels.testing.mailbox import MailboxSimulator, SmtpFault
from core.database import Database
from core.kernel.outgoing import Lane
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.reply import ErrorInfo, Reply, ReplyStatus
from gateway.mail_memory import StoredMails
from tests.conftest import FakeClock

OPS, ANN = "ops@example.org", "ann@example.org"


@pytest.fixture
async def mailbox() -> AsyncIterator[MailboxSimulator]:
    simulator = MailboxSimulator()
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
def health() -> Health:
    return Health(account=OPS)


@pytest.fixture
def courier(
    mailbox: MailboxSimulator, db: Database, clock: FakeClock, health: Health
) -> MailCourier:
    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    sender = SmtpSender(parse_smtp(mailbox.smtp_url(OPS)), deadline=0.5)
    return MailCourier(
        OPS, sender, sent=mails, tokens=mails, health=health, clock=clock
    )


def a_parcel(number: int = 1, *, to: str = ANN, **changes: object) -> Parcel:
    place = {
        "to": to,
        "thread": "<root@example.org>",
        "in_reply_to": "<root@example.org>",
        "references": [],
        "subject": "hello",
    }
    parcel = Parcel(
        id=f"rp_{number}",
        account=OPS,
        place=place,  # type: ignore[arg-type]  # JSON it is
        reply=Reply(summary="Done"),
        lane=Lane.FINALS,
    )
    return replace(parcel, **changes)  # type: ignore[arg-type]  # fields of a parcel


def refused(code: str) -> Reply:
    error = ErrorInfo(type="no", code=code, title="no", detail="no", status=403)
    return Reply(summary="no", status=ReplyStatus.ERROR, error=error)


async def test_message_id_is_the_same_at_every_try(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    mailbox.faults.plan(SmtpFault.DROP_AFTER_DATA)

    with pytest.raises(Postponed):
        await courier.deliver(a_parcel())
    ref = await courier.deliver(a_parcel())

    ids = [str(each.mail["Message-ID"]) for each in mailbox.received(ANN)]
    assert ids == [ref, ref]
    assert ref == message_id_of(a_parcel(), OPS)
    assert bounced_ids(f"Action: failed\n{ref}".encode()) == [ref]


async def test_run_is_told_of_when_it_begins_and_when_it_ends(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    """At most two mails for a run, however often it tells of its progress."""
    ref = await courier.deliver(a_parcel(0, lane=Lane.PROGRESS, subject="R-1"))
    for number in range(1, 5):
        with pytest.raises(Skipped, match="not mailed"):
            await courier.deliver(a_parcel(number, lane=Lane.PROGRESS, subject="R-1"))
    await courier.deliver(a_parcel(9, subject="R-1", edits=ref))

    assert len(mailbox.received(ANN)) == 2


async def test_news_that_nobody_took_counts_as_untold(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    """R-15: after an outage the next news is mailed."""
    mailbox.faults.plan(SmtpFault.BUSY)
    with pytest.raises(Postponed):
        await courier.deliver(a_parcel(1, lane=Lane.PROGRESS, subject="R-1"))

    await courier.deliver(a_parcel(2, lane=Lane.PROGRESS, subject="R-1"))

    assert len(mailbox.received(ANN)) == 1


async def test_news_that_was_on_its_way_in_a_crash_counts_as_untold(
    mailbox: MailboxSimulator, courier: MailCourier, db: Database
) -> None:
    lost = Sent(
        message_id="<lost@example.org>",
        parcel_id="rp_0",
        to=ANN,
        thread="<root@example.org>",
        subject="R-1",
        is_notice=False,
        is_urgent=False,
    )
    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    await mails.reserve(lost, fits=lambda _: True)

    await courier.deliver(a_parcel(2, lane=Lane.PROGRESS, subject="R-1"))

    assert len(mailbox.received(ANN)) == 1


async def test_mails_that_nobody_took_do_not_use_the_hour_up(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    mailbox.faults.plan(SmtpFault.NO_MAILBOX, times=20)
    for number in range(20):
        with pytest.raises(Undeliverable):
            await courier.deliver(a_parcel(number))

    await courier.deliver(a_parcel(99))

    assert len(mailbox.received(ANN)) == 1


async def test_progress_that_did_not_leave_is_tried_again(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    mailbox.faults.plan(SmtpFault.BUSY)
    parcel = a_parcel(lane=Lane.PROGRESS, subject="R-1")

    with pytest.raises(Postponed):
        await courier.deliver(parcel)
    await courier.deliver(parcel)

    assert len(mailbox.received(ANN)) == 1


@pytest.mark.parametrize("code", ["not_linked", "empty", "not_a_command"])
async def test_notice_is_sent_once_a_day(
    mailbox: MailboxSimulator, courier: MailCourier, code: str
) -> None:
    await courier.deliver(a_parcel(0, reply=refused(code)))
    for number in range(1, 3):
        with pytest.raises(Skipped, match="once a day"):
            await courier.deliver(a_parcel(number, reply=refused(code)))
    await courier.deliver(a_parcel(9))

    assert len(mailbox.received(ANN)) == 2


async def test_other_refusals_are_always_told(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    for number in range(3):
        await courier.deliver(a_parcel(number, reply=refused("not_found")))

    assert len(mailbox.received(ANN)) == 3


async def test_twenty_first_mail_of_the_hour_waits_for_the_first_to_age(
    mailbox: MailboxSimulator, courier: MailCourier
) -> None:
    for number in range(20):
        await courier.deliver(a_parcel(number))

    with pytest.raises(Postponed) as delay:
        await courier.deliver(a_parcel(99))

    assert 3000 < delay.value.retry_after <= 3600
    assert not delay.value.is_account_wide
    assert delay.value.is_lane_only
    await courier.deliver(a_parcel(100, to="bob@example.org"))


async def test_last_answer_of_the_hour_says_until_when_there_are_no_more(
    mailbox: MailboxSimulator, courier: MailCourier, clock: FakeClock
) -> None:
    until = f"{clock.now() + timedelta(hours=1):%H:%M} UTC"
    for number in range(20):
        await courier.deliver(a_parcel(number))

    texts = [each.mail.get_body(["plain"]) for each in mailbox.received(ANN)]
    said = ["20th mail" in str(text) and until in str(text) for text in texts]
    assert said == [False] * 19 + [True]


@pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.APPROVALS])
async def test_what_is_urgent_has_a_cap_of_its_own(
    courier: MailCourier, lane: Lane
) -> None:
    """R-11: what somebody waits for to be decided does not wait behind answers."""
    for number in range(20):
        await courier.deliver(a_parcel(number))
    for number in range(100, 160):
        await courier.deliver(a_parcel(number, lane=lane))

    with pytest.raises(Postponed):
        await courier.deliver(a_parcel(999, lane=lane))


async def test_requests_for_approval_leave_room_for_answers(
    courier: MailCourier, mailbox: MailboxSimulator
) -> None:
    for number in range(30):
        await courier.deliver(a_parcel(number, lane=Lane.APPROVALS))

    await courier.deliver(a_parcel(99))

    assert len(mailbox.received(ANN)) == 31


@pytest.mark.parametrize(
    "to", ["", "nobody", OPS, "ann@example.org\r\nBcc: eve@example.org", "<a@b>"]
)
async def test_mail_that_cannot_be_addressed_is_undeliverable(
    courier: MailCourier, to: str
) -> None:
    with pytest.raises(Undeliverable):
        await courier.deliver(a_parcel(to=to))


async def test_outage_shows_in_health_until_a_mail_leaves(
    mailbox: MailboxSimulator, courier: MailCourier, health: Health
) -> None:
    health.is_up()
    mailbox.faults.plan(SmtpFault.GARBAGE)
    with pytest.raises(Postponed):
        await courier.deliver(a_parcel())
    assert health.link.value == "degraded"
    assert "OPSWIRE_EMAIL__SMTP_URL" in health.fix

    await courier.deliver(a_parcel())

    assert health.link.value == "connected"
    assert health.last_out is not None


async def test_mail_that_begins_a_thread_has_a_secret_of_its_own(
    mailbox: MailboxSimulator, courier: MailCourier, db: Database
) -> None:
    """An answer to a notification proves as much as one to an answer."""
    ref = await courier.deliver(a_parcel(place={"to": ANN, "this": "AP-1"}))

    [received] = mailbox.received(ANN)
    address = str(received.mail["Reply-To"].addresses[0].username)
    mails = StoredMails(db, OPS, tenant=DEFAULT_TENANT)
    assert received.mail["References"] is None
    assert "[AP-1]" in str(received.mail["Subject"])
    assert await mails.find_thread(address.partition("+")[2], sender=ANN) == ref
