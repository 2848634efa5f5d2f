"""The outbox: whose turn it is, what becomes of it, and what people do by hand."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core.database import Database
from core.delivery.outbox import dispatch, queue
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import (
    PROGRESS_PAUSE,
    Appearance,
    Budget,
    Delay,
    Of,
    OutboxDraft,
    OutboxState,
    Outgoing,
    Spot,
    is_lasting,
    lasting,
    line_of,
)
from core.events import service as events
from core.kernel.clock import to_micros
from core.kernel.outgoing import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Conflict, IllegalMove, InvalidQuery, NotFound
from tests.conftest import FakeClock

CLAIM = timedelta(seconds=40)
SECOND = timedelta(seconds=1)
TERMS = Terms(budgets={"slack": Budget(), "email": Budget()}, claim=CLAIM)
PACED = Terms(budgets={"slack": Budget(pause=SECOND)}, claim=CLAIM)


class Outbox:
    """An outbox, and a postman's view of it."""

    def __init__(self, db: Database, by: Principal) -> None:
        self.db = db
        self.by = by

    def post(self, key: str, room: str = "C1", **draft: Any) -> None:
        fixed = {"channel": "slack", "account": "acme", "body": "{}"}
        given: dict[str, Any] = {**fixed, "place": {"channel": room}, **draft}
        self.db.run(
            lambda tx: outbox.post(tx, OutboxDraft(key=key, **given)),
            by=self.by,
        )

    def claim(self, terms: Terms = TERMS) -> Sequence[Outgoing]:
        return self.db.run(lambda tx: dispatch.claim(tx, terms), by=self.by)

    def keys(self, terms: Terms = TERMS) -> list[str]:
        """Claim what is due, and tell its keys."""
        return [each.key for each in self.claim(terms)]

    def sent(self, outgoing: Outgoing, ref: str = "") -> None:
        self.db.run(lambda tx: dispatch.note_sent(tx, outgoing, ref=ref), by=self.by)

    def send_all(self, terms: Terms = TERMS) -> list[str]:
        """Send until nothing is due any more."""
        keys = []
        while claimed := self.claim(terms):
            for each in claimed:
                keys.append(each.key)
                self.sent(each, ref=f"ref-{each.key}")
        return keys

    def delayed(
        self, outgoing: Outgoing, by: timedelta, spot: Spot | None = None
    ) -> None:
        self.db.run(
            lambda tx: dispatch.note_delayed(
                tx, outgoing, Delay(reason="busy", until=tx.now + by, spot=spot)
            ),
            by=self.by,
        )

    def state_of(self, number: int) -> OutboxState:
        found = self.db.look(lambda tx: outbox.get_(tx, f"D-{number}"), by=self.by)
        return found.state

    def has(self, number: int) -> bool:
        page = self.db.look(outbox.list_, by=self.by)
        return f"D-{number}" in {each.id for each in page.items}


@pytest.fixture
def box(db: Database, ann: Principal) -> Outbox:
    return Outbox(db, ann)


# ── turns ─────────────────────────────────────────────────────────────────────
def test_lanes_leave_by_their_urgency(box: Outbox) -> None:
    """M-OMN: control, approvals, finals, progress, digests."""
    for lane in reversed(Lane):
        box.post(lane.name, lane=lane)

    assert box.send_all() == [lane.name for lane in Lane]


def test_a_line_keeps_its_order_and_goes_out_one_by_one(box: Outbox) -> None:
    """R-09."""
    for number in range(3):
        box.post(f"k{number}")

    first = box.keys()
    meanwhile = box.keys()

    assert (first, meanwhile) == (["k0"], [])


def test_threads_of_one_room_share_a_line(box: Outbox) -> None:
    """R-09: a channel is paced as a whole, whoever asked in it."""
    one = line_of({"channel": "C1", "thread_ts": "1", "user": "U1", "private": False})
    other = line_of({"channel": "C1", "thread_ts": "2", "user": "U2"})

    assert one == other != line_of({"channel": "C2"})
    assert line_of({"to": "ann@example.org"}) != line_of({"to": "bob@example.org"})
    assert line_of({"odd": 1}) != line_of({"odd": 2})


def test_answers_to_one_person_hold_nobody_in_the_room_back(box: Outbox) -> None:
    """R-09: however many refusals somebody asks for."""
    for number in range(110):
        place = {"channel": "C1", "user": "U1", "private": True, "response_url": "u"}
        box.post(f"no{number}", place=place)
    box.post("answer")
    box.post("aside", place={"channel": "C1", "user": "U2", "private": True})

    assert box.keys(PACED) == ["no0", "answer", "aside"]


def test_a_retry_holds_back_what_is_behind_it_and_nothing_else(box: Outbox) -> None:
    box.post("late", lane=Lane.FINALS)
    box.post("behind", lane=Lane.FINALS)
    box.post("steering", lane=Lane.CONTROL)
    box.post("elsewhere", room="C2")
    steering, elsewhere = box.claim()
    box.sent(steering)
    box.sent(elsewhere)
    (late,) = box.claim()

    box.delayed(late, timedelta(seconds=30))

    assert (steering.key, elsewhere.key, late.key) == ("steering", "elsewhere", "late")
    assert box.keys() == []


def test_what_was_delayed_leaves_in_its_order(box: Outbox, clock: FakeClock) -> None:
    box.post("late")
    box.post("behind")
    (late,) = box.claim()
    box.delayed(late, timedelta(seconds=30))

    clock.advance(timedelta(seconds=29))
    early = box.keys()
    clock.advance(SECOND)

    assert early == []
    assert box.send_all() == ["late", "behind"]


def test_a_room_is_paced_whoever_claims(
    box: Outbox, db: Database, clock: FakeClock
) -> None:
    """R-09: at most one message a second to a channel."""
    for number in range(3):
        box.post(f"k{number}")
    left = []
    for _ in range(12):
        left.append(box.send_all(PACED))
        clock.advance(timedelta(milliseconds=250))

    assert [keys for keys in left if keys] == [["k0"], ["k1"], ["k2"]]
    assert [n for n, keys in enumerate(left) if keys] == [0, 4, 8]


def test_a_pause_asked_for_the_account_holds_all_of_it(
    box: Outbox, clock: FakeClock
) -> None:
    """R-09: Retry-After is kept."""
    box.post("limited")
    box.post("other room", room="C2")
    box.post("other account", room="C3", account="globex")
    limited = next(each for each in box.claim() if each.key == "limited")
    box.post("third room", room="C4")

    box.delayed(limited, 30 * SECOND, Spot("slack", "acme", ""))
    clock.advance(29 * SECOND)
    held = box.keys()
    clock.advance(SECOND)

    assert held == []
    assert box.keys() == ["limited", "third room"]


def test_an_account_is_not_flooded(box: Outbox) -> None:
    for number in range(12):
        box.post(f"k{number}", room=f"C{number}")

    assert len(box.keys()) == Budget().most


def test_a_channel_that_is_not_known_here_waits(box: Outbox) -> None:
    """Another gateway may know it; nothing is tried and nothing is lost."""
    box.post("k1", channel="pager")

    assert box.keys() == []
    assert box.state_of(1) is OutboxState.WAITING


def test_of_a_channel_switched_off_only_promises_leave(box: Outbox) -> None:
    for lane in Lane:
        box.post(lane.name, lane=lane)
    off = Terms(budgets=TERMS.budgets, claim=CLAIM, switched_off={"slack"})

    assert box.send_all(off) == ["CONTROL", "APPROVALS", "FINALS"]
    assert box.send_all() == ["PROGRESS", "DIGESTS"]


# ── claims ────────────────────────────────────────────────────────────────────
def test_a_claim_that_ends_is_given_to_somebody_else(
    box: Outbox, clock: FakeClock
) -> None:
    """R-01: a postman that died loses nothing."""
    box.post("k1")
    box.claim()

    clock.advance(CLAIM - SECOND)
    early = box.keys()
    clock.advance(SECOND)

    assert early == []
    assert box.keys() == ["k1"]


def test_the_same_key_is_one_delivery(box: Outbox) -> None:
    box.post("k1")
    box.post("k1")

    assert box.send_all() == ["k1"]
    box.post("k1")
    assert box.send_all() == []


def test_of_several_at_once_only_what_is_new_is_posted(box: Outbox) -> None:
    box.post("b")
    drafts = [
        OutboxDraft(key=key, channel="slack", account="acme", place={}, body="{}")
        for key in "abc"
    ]

    box.db.run(lambda tx: outbox.post_all(tx, drafts), by=box.by)
    box.db.run(lambda tx: outbox.post_all(tx, []), by=box.by)

    assert sorted(box.send_all()) == ["a", "b", "c"]


def test_what_failed_with_its_unit_is_not_posted(
    db: Database, box: Outbox, ann: Principal
) -> None:
    def fail(tx: Any) -> None:
        draft = OutboxDraft(
            key="k", channel="slack", account="acme", place={"channel": "C1"}, body=""
        )
        outbox.post(tx, draft)
        raise Conflict("no")

    with pytest.raises(Conflict):
        db.run(fail, by=ann)

    assert box.keys() == []


def test_tenants_do_not_see_each_other(db: Database, box: Outbox) -> None:
    """R-59."""
    box.post("k1")
    stranger = Outbox(db, system(TenantId("globex")))

    assert stranger.keys() == []
    with pytest.raises(NotFound):
        db.look(lambda tx: outbox.get_(tx, "D-1"), by=stranger.by)


# ── progress ──────────────────────────────────────────────────────────────────
def test_progress_is_coalesced_to_the_newest(box: Outbox, clock: FakeClock) -> None:
    """R-09: a hundred updates, and the newest state is told last."""
    told = []
    for number in range(100):
        box.post(f"p{number}", lane=Lane.PROGRESS, subject="run")
        if number % 30 == 0:
            told += box.send_all()
            clock.advance(PROGRESS_PAUSE)
    told += box.send_all()

    assert told == ["p0", "p30", "p60", "p90", "p99"]


def test_progress_of_one_thing_leaves_every_two_seconds(
    box: Outbox, clock: FakeClock
) -> None:
    """However often it changes; what is final does not wait."""
    box.post("p1", lane=Lane.PROGRESS, subject="run")
    told = [box.send_all()]
    for number in range(2, 4):
        box.post(f"p{number}", lane=Lane.PROGRESS, subject="run")
        clock.advance(SECOND)
        told.append(box.send_all())
    box.post("p4", lane=Lane.PROGRESS, subject="run")
    box.post("other", room="C2", lane=Lane.PROGRESS, subject="other")
    told.append(box.send_all())
    box.post("final", subject="run")
    told.append(box.send_all())

    assert told == [["p1"], [], ["p3"], ["other"], ["final"]]


def test_a_final_is_not_followed_by_older_progress(
    box: Outbox, clock: FakeClock
) -> None:
    """Even when that was on its way as its postman died."""
    box.post("progress", lane=Lane.PROGRESS, subject="run")
    box.claim()
    box.post("final", subject="run")

    clock.advance(CLAIM)

    assert box.send_all() == ["final"]
    assert not box.has(1)


def test_progress_edits_what_was_told_before(box: Outbox, clock: FakeClock) -> None:
    box.post("p1", lane=Lane.PROGRESS, subject="run")
    box.send_all()
    clock.advance(PROGRESS_PAUSE)
    box.post("p2", lane=Lane.PROGRESS, subject="run")
    (second,) = box.claim()
    box.sent(second, ref="ref-p1")
    box.post("final", subject="run")
    (final,) = box.claim()
    box.sent(final)
    box.post("new", subject="run", appearance=Appearance.NEW)
    (new,) = box.claim()

    assert (second.edits, final.edits, new.edits) == ("ref-p1", "ref-p1", "")


def test_what_only_edits_is_left_out_when_nothing_was_sent(
    box: Outbox, clock: FakeClock
) -> None:
    card = {"subject": "card", "appearance": Appearance.EDIT_ONLY}
    box.post("early", lane=Lane.PROGRESS, **card)
    nothing = box.keys()
    box.post("answer", subject="card", appearance=Appearance.NEW)
    box.send_all()
    clock.advance(PROGRESS_PAUSE)
    box.post("later", lane=Lane.PROGRESS, **card)

    assert nothing == []
    assert [(each.key, each.edits) for each in box.claim()] == [("later", "ref-answer")]


def test_a_card_waits_for_the_answer_that_it_edits(
    box: Outbox, clock: FakeClock
) -> None:
    box.post("answer", subject="card")
    (answer,) = box.claim()
    box.delayed(answer, 10 * SECOND)
    box.post(
        "later", lane=Lane.PROGRESS, subject="card", appearance=Appearance.EDIT_ONLY
    )

    waiting = box.keys()
    clock.advance(10 * SECOND)

    assert waiting == []
    assert box.send_all() == ["answer"]
    clock.advance(PROGRESS_PAUSE)
    assert box.send_all() == ["later"]


def test_the_newest_progress_is_told_after_an_outage(
    box: Outbox, clock: FakeClock
) -> None:
    """R-15: however often it was tried, and nothing of what was overtaken."""
    for number in range(3):
        box.post(f"p{number}", lane=Lane.PROGRESS, subject="run")
        for _ in range(5):
            (tried,) = box.claim()
            box.delayed(tried, timedelta(minutes=5))
            clock.advance(timedelta(minutes=5))

    assert box.send_all() == ["p2"]
    assert not box.has(1)
    assert not box.has(2)


def test_progress_is_tried_for_a_day(box: Outbox, clock: FakeClock) -> None:
    box.post("p1", lane=Lane.PROGRESS, subject="run")
    while claimed := box.claim():
        box.delayed(claimed[0], timedelta(hours=1))
        clock.advance(timedelta(hours=1))

    assert box.state_of(1) is OutboxState.DEAD


def test_what_was_left_out_is_not_called_sent(box: Outbox, db: Database) -> None:
    box.post("told", lane=Lane.PROGRESS, subject="run")
    box.send_all()
    box.post("skipped", lane=Lane.FINALS, subject="run")
    (left_out,) = box.claim()

    box.db.run(
        lambda tx: dispatch.note_skipped(tx, left_out, reason="enough"), by=box.by
    )

    assert box.state_of(2) is OutboxState.SKIPPED
    assert box.claim() == []
    for change in (outbox.replay, outbox.drop):
        with pytest.raises(IllegalMove, match="left out"):
            db.run(partial(change, delivery_id="D-2"), by=box.by)


# ── failing ───────────────────────────────────────────────────────────────────
def test_a_final_is_tried_for_a_day_and_then_dead(
    box: Outbox, db: Database, clock: FakeClock, ann: Principal
) -> None:
    """R-15: shown with its reason and its fix."""
    box.post("k1")
    tries = 0
    while claimed := box.claim():
        tries += 1
        box.delayed(claimed[0], timedelta(minutes=5))
        clock.advance(timedelta(minutes=5))

    dead = db.look(lambda tx: outbox.get_(tx, "D-1"), by=ann)
    told = db.look(events.list_last, by=ann)
    assert tries == 24 * 12
    assert (dead.state, dead.fix) == (OutboxState.DEAD, "outbox replay D-1")
    assert "busy" in dead.error
    assert [each.type for each in told] == ["delivery_failed"]


def test_what_kills_its_postman_is_given_up_too(box: Outbox, clock: FakeClock) -> None:
    """A delivery whose result nobody ever notes does not go on for ever."""
    box.post("poison")
    box.claim()

    clock.advance(timedelta(hours=24))

    assert box.keys() == []
    assert box.state_of(1) is OutboxState.DEAD


def test_what_waited_long_without_a_try_is_still_delivered(
    box: Outbox, clock: FakeClock
) -> None:
    """Finals always arrive, even if no gateway ran for days."""
    box.post("k1")

    clock.advance(timedelta(days=3))

    assert box.send_all() == ["k1"]


def test_whoever_asks_for_days_is_tried_once_more_before_the_day_is_over(
    box: Outbox, clock: FakeClock
) -> None:
    """R-17: on every channel; the line that rests with it is free by then as well."""
    box.post("k1")
    (first,) = box.claim()

    box.delayed(first, timedelta(days=3), first.spot)
    clock.advance(timedelta(hours=22, minutes=59))
    early = box.keys()
    clock.advance(timedelta(minutes=1))
    (again,) = box.claim()
    box.delayed(again, timedelta(days=3), again.spot)

    assert early == []
    assert again.attempts == 2
    assert box.state_of(1) is OutboxState.DEAD


def test_a_dead_delivery_does_not_hold_its_line(box: Outbox) -> None:
    box.post("k1")
    box.post("k2")
    (first,) = box.claim()

    box.db.run(
        lambda tx: dispatch.note_dead(tx, first, error="no such room", fix="invite"),
        by=box.by,
    )

    assert box.keys() == ["k2"]


# ── by hand ───────────────────────────────────────────────────────────────────
@pytest.fixture
def dead(box: Outbox) -> Outbox:
    """An outbox with two dead deliveries of Slack and one that waits for a mailbox."""
    for number in range(2):
        box.post(f"k{number}")
        (claimed,) = box.claim()
        box.db.run(
            partial(dispatch.note_dead, outgoing=claimed, error="gone", fix=""),
            by=box.by,
        )
    box.post("mail", channel="email")
    return box


def test_dead_deliveries_are_replayed_from_the_start(
    dead: Outbox, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=2))
    replayed = dead.db.run(lambda tx: outbox.replay(tx, "D-1"), by=dead.by)
    (again,) = [each for each in dead.claim() if each.channel == "slack"]
    dead.delayed(again, SECOND)

    assert (replayed.state, replayed.attempts) == (OutboxState.WAITING, 0)
    assert (again.key, again.attempts) == ("k0", 1)
    assert dead.state_of(1) is OutboxState.WAITING


def test_all_dead_of_a_channel_are_replayed_in_order(dead: Outbox) -> None:
    replayed = dead.db.run(lambda tx: outbox.replay_dead(tx, Of("slack")), by=dead.by)

    assert [each.id for each in replayed] == ["D-1", "D-2"]
    assert dead.send_all() == ["k0", "mail", "k1"]


def test_a_dropped_delivery_is_never_sent(dead: Outbox) -> None:
    dead.db.run(lambda tx: outbox.drop(tx, "D-3"), by=dead.by)

    assert dead.keys() == []
    assert not dead.has(3)


def test_what_is_on_its_way_or_sent_is_left_alone(dead: Outbox) -> None:
    (mail,) = dead.claim()
    for change in (outbox.drop, outbox.replay):
        with pytest.raises(Conflict):
            dead.db.run(partial(change, delivery_id=mail.id), by=dead.by)
    dead.sent(mail)

    for change in (outbox.drop, outbox.replay):
        with pytest.raises(IllegalMove):
            dead.db.run(partial(change, delivery_id=mail.id), by=dead.by)


def test_what_was_sent_is_sent_again_under_its_key(dead: Outbox) -> None:
    (mail,) = dead.claim()
    with pytest.raises(Conflict):
        dead.db.run(lambda tx: outbox.send_again(tx, mail.id), by=dead.by)
    dead.sent(mail)

    for delivery in (mail.id, "D-1"):
        dead.db.run(partial(outbox.send_again, delivery_id=delivery), by=dead.by)

    assert sorted(dead.send_all()) == ["k0", "mail"]


def test_deliveries_are_listed_newest_first_in_pages(dead: Outbox) -> None:
    def ids(**wanted: Any) -> list[str]:
        page = dead.db.look(lambda tx: outbox.list_(tx, **wanted), by=dead.by)
        return [each.id for each in page.items]

    first = dead.db.look(lambda tx: outbox.list_(tx, limit=2), by=dead.by)

    assert [each.id for each in first.items] == ["D-3", "D-2"]
    assert ids(cursor=first.next) == ["D-1"]
    assert ids(state=OutboxState.DEAD) == ["D-2", "D-1"]
    assert ids(of=Of(channel="email")) == ["D-3"]
    assert ids(of=Of(channel="email", account="nobody")) == []
    with pytest.raises(InvalidQuery):
        ids(limit=0)


def test_what_is_open_is_counted_by_channel(dead: Outbox) -> None:
    counted = dead.db.look(outbox.count_open, by=dead.by)

    assert counted == {
        ("slack", OutboxState.DEAD): 2,
        ("email", OutboxState.WAITING): 1,
    }


# ── places and pauses ─────────────────────────────────────────────────────────
def test_a_place_is_kept_without_what_holds_for_one_answer() -> None:
    asked = {"channel": "C1", "response_url": "https://x", "expires": "soon"}

    assert lasting(asked) == {"channel": "C1"}
    assert not is_lasting(asked)
    assert is_lasting({"channel": "C1", "response_url": "", "private": False})
    assert not is_lasting({"channel": "C1", "private": True})
    assert not is_lasting({})


def test_a_pause_is_never_shortened_and_is_forgotten(
    box: Outbox, db: Database, clock: FakeClock
) -> None:
    spot = Spot("slack", "acme", "channel:C1")
    until = to_micros(clock.now() + 30 * SECOND)
    for sooner in (0, 25_000_000):
        db.run(partial(queue.pause, spot=spot, until=until - sooner), by=box.by)
    box.post("k1")

    clock.advance(29 * SECOND)
    held = box.keys()
    clock.advance(SECOND)
    db.run(queue.end_pauses, by=box.by)

    assert held == []
    assert db.look(queue.read_traffic, by=box.by).pauses == {}
    assert box.keys() == ["k1"]
