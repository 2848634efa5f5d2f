"""The mail channel's memory on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database, Tx
from core.delivery.mail import service as mail
from core.delivery.mail.model import MailCounts, MailFolder, SentMail
from core.kernel.principal import Principal
from tests.conftest import FakeClock
from tests.contract.conftest import OpenDatabase

INBOX = MailFolder(account="ops@example.org", folder="INBOX")
OPS, ANN, BOB = "ops@example.org", "ann@example.org", "bob@example.org"


def a_mail(number: int, **changes: object) -> SentMail:
    fields = {
        "account": OPS,
        "message_id": f"<{number}@example.org>",
        "parcel_id": f"rp_{number}",
        "recipient": ANN,
        "thread": "<root@example.org>",
        "subject": "",
        "is_notice": False,
        **changes,
    }
    return SentMail(**fields)  # type: ignore[arg-type]  # checked when it is stored


def always(_: MailCounts) -> bool:
    return True


def reserve(db: Database, ann: Principal, sent: SentMail) -> MailCounts:
    return db.run(lambda tx: mail.reserve(tx, sent, fits=always), by=ann)


# ── cursors ───────────────────────────────────────────────────────────────────
@pytest.fixture
def turns(db: Database, ann: Principal, clock: FakeClock) -> "Turns":
    return Turns(db, ann)


class Turns:
    """Readers of one folder."""

    def __init__(self, db: Database, by: Principal) -> None:
        self.db, self.by = db, by

    def take(self, reader: str) -> bool:
        return self.db.run(
            lambda tx: mail.take_turn(tx, INBOX, reader=reader), by=self.by
        )

    def advance(self, reader: str, uid: int) -> bool:
        return self.db.run(
            lambda tx: mail.advance(tx, INBOX, reader=reader, uid_validity=7, uid=uid),
            by=self.by,
        )

    def end(self, reader: str) -> None:
        self.db.run(lambda tx: mail.end_turn(tx, INBOX, reader=reader), by=self.by)

    def uid(self) -> int | None:
        found = self.db.look(lambda tx: mail.find_cursor(tx, INBOX), by=self.by)
        return found.uid if found else None


def test_one_reader_has_the_turn_and_keeps_it(turns: Turns) -> None:
    assert turns.take("one")
    assert not turns.take("two")
    assert turns.take("one")


def test_turn_of_a_silent_reader_passes_on(turns: Turns, clock: FakeClock) -> None:
    turns.take("one")
    clock.advance(timedelta(seconds=31))

    assert turns.take("two")
    assert not turns.take("one")


def test_ended_turn_passes_on_at_once(turns: Turns) -> None:
    turns.take("one")
    turns.end("one")

    assert turns.take("two")


def test_only_who_has_the_turn_moves_the_cursor(turns: Turns) -> None:
    turns.take("one")
    assert turns.uid() is None

    assert turns.advance("one", 5)
    assert not turns.advance("two", 9)

    assert turns.uid() == 5


def test_reading_keeps_the_turn(turns: Turns, clock: FakeClock) -> None:
    turns.take("one")
    clock.advance(timedelta(seconds=20))
    turns.advance("one", 1)
    clock.advance(timedelta(seconds=20))

    assert not turns.take("two")


# ── mails that leave ──────────────────────────────────────────────────────────
def test_mails_are_counted_by_person_and_thread(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    reserve(db, ann, a_mail(1))
    reserve(db, ann, a_mail(2, thread="<other@example.org>"))
    reserve(db, ann, a_mail(3, recipient=BOB))
    clock.advance(timedelta(minutes=30))

    counts = reserve(db, ann, a_mail(4))

    assert (counts.last_hour, counts.thread_day) == (2, 2)
    assert mail.room_in(counts, clock.now()) == timedelta(minutes=30)


def test_old_mails_do_not_count(db: Database, ann: Principal, clock: FakeClock) -> None:
    reserve(db, ann, a_mail(1, is_notice=True))
    clock.advance(timedelta(hours=25))

    counts = reserve(db, ann, a_mail(2))

    assert (counts.last_hour, counts.thread_day, counts.has_notice) == (0, 0, False)


def test_mail_that_is_tried_again_does_not_stand_in_its_own_way(
    db: Database, ann: Principal
) -> None:
    reserve(db, ann, a_mail(1, subject="R-1", is_notice=True))

    counts = reserve(db, ann, a_mail(1, subject="R-1", is_notice=True))

    assert (counts.last_hour, counts.has_notice, counts.about) == (0, False, "")


def test_mail_that_does_not_fit_is_not_counted(db: Database, ann: Principal) -> None:
    db.run(lambda tx: mail.reserve(tx, a_mail(1), fits=lambda _: False), by=ann)

    assert reserve(db, ann, a_mail(2)).last_hour == 0


def test_last_place_is_given_once(ann: Principal, open_another: OpenDatabase) -> None:
    """Of many who want it at once, in two processes, one gets it."""
    gateways = [open_another(), open_another()]

    def attempt(number: int) -> None:
        def work(tx: Tx) -> None:
            mail.reserve(tx, a_mail(number), fits=lambda found: found.last_hour < 3)

        gateways[number % 2].run(work, by=ann)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(24)))

    assert reserve(gateways[0], ann, a_mail(99)).thread_day == 3


def test_newest_mail_on_a_subject_that_was_taken_is_found(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    for sent in (a_mail(1, subject="R-1"), a_mail(2, subject="R-1")):
        reserve(db, ann, sent)
        db.run(partial(mail.note_accepted, mail=sent), by=ann)
        clock.advance(timedelta(seconds=1))
    reserve(db, ann, a_mail(3, subject="R-1"))
    reserve(db, ann, a_mail(5, subject="R-2"))

    assert reserve(db, ann, a_mail(4, subject="R-1")).about == "<2@example.org>"


def test_place_of_a_mail_that_was_not_taken_is_free_again(
    db: Database, ann: Principal
) -> None:
    reserve(db, ann, a_mail(1))

    db.run(partial(mail.release, mail=a_mail(1)), by=ann)

    assert reserve(db, ann, a_mail(2)).last_hour == 0


def test_hour_counts_what_is_as_urgent(db: Database, ann: Principal) -> None:
    for number in range(3):
        reserve(db, ann, a_mail(number, is_urgent=number > 0))

    assert reserve(db, ann, a_mail(8)).last_hour == 1
    assert reserve(db, ann, a_mail(9, is_urgent=True)).last_hour == 2


def test_bounce_is_told_once(db: Database, ann: Principal) -> None:
    reserve(db, ann, a_mail(1))

    told = [
        db.run(lambda tx: mail.bounce(tx, OPS, "<1@example.org>"), by=ann)
        for _ in range(2)
    ]

    assert told == ["rp_1", ""]
    assert db.run(lambda tx: mail.bounce(tx, OPS, "<9@example.org>"), by=ann) == ""


# ── tokens ────────────────────────────────────────────────────────────────────
def test_token_counts_for_its_sender_and_thread_until_it_expires(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    token = db.run(
        lambda tx: mail.issue_token(tx, OPS, sender=ANN, thread="<t>"), by=ann
    )

    def thread_of(text: str, sender: str = ANN) -> str:
        return db.look(
            lambda tx: mail.find_thread(tx, OPS, text, sender=sender), by=ann
        )

    assert thread_of(token) == "<t>"
    assert thread_of(token.upper()) == "<t>"
    assert thread_of(token[:-1] + "~") == ""
    assert thread_of(token, sender=BOB) == ""
    clock.advance(timedelta(days=31))
    assert thread_of(token) == ""
