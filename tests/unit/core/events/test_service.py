"""Events: appended, listed, found by time and told to people."""

from datetime import timedelta

import pytest

from core.database import Database
from core.events import service as events
from core.events.model import Event, EventFilter, is_wanted, render_event_line
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import InvalidArgument
from tests.conftest import FakeClock


def told(
    db: Database, by: Principal, event: str, target: str = "", **details: str
) -> None:
    db.run(lambda tx: events.append(tx, event, target=target, **details), by=by)


def seqs(found: object) -> list[int]:
    assert isinstance(found, list)
    return [event.seq for event in found]


def test_a_tail_reads_on_after_the_last_number(db: Database, ann: Principal) -> None:
    """M-EVT-04."""
    for _ in range(5):
        told(db, ann, "deploy_started")

    first = db.look(lambda tx: events.list_after(tx, 0, limit=3), by=ann)
    rest = db.look(lambda tx: events.list_after(tx, first[-1].seq, limit=3), by=ann)

    assert seqs([*first, *rest]) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(types=frozenset({"deploy_started"})), [1, 3]),
        (EventFilter(targets=frozenset({"T-2"})), [2, 3]),
        (EventFilter(actors=frozenset({"bob"})), [3, 4]),
        (EventFilter(channels=frozenset({"slack"})), []),
        (
            EventFilter(
                types=frozenset({"deploy_started"}), targets=frozenset({"T-2"})
            ),
            [3],
        ),
    ],
)
def test_filters_apply_at_the_source_and_to_single_events_alike(
    db: Database,
    ann: Principal,
    bob: Principal,
    wanted: EventFilter,
    expected: list[int],
) -> None:
    """M-EVT-05."""
    told(db, ann, "deploy_started", "T-1")
    told(db, ann, "deploy_failed", "T-2")
    told(db, bob, "deploy_started", "T-2")
    told(db, bob, "deploy_failed", "T-1")

    found = db.look(lambda tx: events.list_after(tx, 0, wanted), by=ann)
    everything = db.look(lambda tx: events.list_after(tx, 0), by=ann)

    assert seqs(found) == expected
    assert seqs([event for event in everything if is_wanted(event, wanted)]) == expected
    assert seqs(db.look(lambda tx: events.list_last(tx, wanted), by=ann)) == expected


def test_the_last_events_come_in_their_order(db: Database, ann: Principal) -> None:
    for _ in range(5):
        told(db, ann, "deploy_started")

    assert seqs(db.look(lambda tx: events.list_last(tx, limit=2), by=ann)) == [4, 5]


def test_a_moment_becomes_the_number_to_tail_from(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    """M-EVT-03: `since=<ts>`."""
    start = clock.now()
    for _ in range(10):
        told(db, ann, "deploy_started")
        clock.advance(timedelta(seconds=1))

    def before(seconds: float) -> int:
        moment = start + timedelta(seconds=seconds)
        return db.look(lambda tx: events.seq_before(tx, moment), by=ann)

    assert [before(s) for s in (-1, 0, 0.5, 3, 9, 100)] == [0, 0, 1, 3, 9, 10]


def test_without_events_every_moment_is_the_start(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    assert db.look(lambda tx: events.seq_before(tx, clock.now()), by=ann) == 0
    assert db.look(events.first_seq, by=ann) == 1
    assert db.look(events.last_seq, by=ann) == 0


def test_a_line_of_the_event_file_is_canonical(db: Database, ann: Principal) -> None:
    """M-EVT-02."""
    told(db, ann, "deploy_started", "T-1", zone="é", app="web")
    event: Event = db.look(lambda tx: events.list_after(tx, 0), by=ann)[0]

    assert render_event_line(event).decode() == (
        '{"actor":"ann","channel":"","details":{"app":"web","zone":"é"},'
        '"event":"deploy_started","seq":1,"target":"T-1",'
        '"ts":"2026-11-04T09:00:00.000000Z"}\n'
    )


def test_a_reported_event_has_the_principal_as_its_actor(
    db: Database, ann: Principal
) -> None:
    """M-EVT-01, M-EVT-07."""
    db.run(
        lambda tx: events.report(
            tx, "executor_started", target="T-1", details={"actor": "bob"}
        ),
        by=ann,
    )

    event = db.look(lambda tx: events.list_after(tx, 0), by=ann)[0]
    assert (event.type, event.actor, event.details) == (
        "executor_started",
        "ann",
        {"actor": "bob"},
    )


@pytest.mark.parametrize(
    "name",
    ["", "Deploy", "a b", "a__b", "a" * 65, "task_created", "run_succeeded"],
)
def test_a_name_that_is_none_or_our_own_is_refused(
    db: Database, ann: Principal, name: str
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: events.report(tx, name), by=ann)


def test_details_beyond_16_kib_are_refused(db: Database, ann: Principal) -> None:
    with pytest.raises(InvalidArgument):
        db.run(
            lambda tx: events.report(tx, "deploy_done", details={"log": "x" * 16_384}),
            by=ann,
        )


def test_the_human_log_groups_by_day_and_escapes_what_people_wrote(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    """M-EVT-06."""
    start = clock.now()
    told(db, ann, "deploy_started", "T-1", title="*bold* <b>")
    clock.advance(timedelta(days=1))
    told(db, ann, "deploy_failed", "T-1")
    clock.advance(timedelta(days=1))
    told(db, ann, "deploy_started", "T-2")

    log = db.look(
        lambda tx: events.human_log(
            tx, since=start, until=start + timedelta(days=1, seconds=1)
        ),
        by=ann,
    )

    assert log.count == 2
    assert log.last_seq == 2
    assert log.markdown == (
        "## Wednesday, 04 November 2026\n\n"
        "- 09:00:00 ann: deploy started **T-1** (title: \\*bold\\* \\<b\\>)\n"
        "\n"
        "## Thursday, 05 November 2026\n\n"
        "- 09:00:00 ann: deploy failed **T-1**\n"
    )


def test_an_empty_human_log_says_so(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    log = db.look(
        lambda tx: events.human_log(tx, since=clock.now(), until=clock.now()), by=ann
    )

    assert (log.markdown, log.count) == ("No events.\n", 0)


def test_a_tenant_reads_its_own_events_only(db: Database, ann: Principal) -> None:
    """R-59."""
    eve = system(TenantId("other"), name="eve")
    told(db, ann, "deploy_started", "T-1")

    everything = EventFilter(targets=frozenset({"T-1"}))
    assert db.look(lambda tx: events.list_after(tx, 0), by=eve) == []
    assert db.look(lambda tx: events.list_after(tx, 0, everything), by=eve) == []
    assert db.look(events.list_last, by=eve) == []


def test_a_filter_that_no_text_can_match_is_refused(
    db: Database, ann: Principal
) -> None:
    """R-52."""
    wanted = EventFilter(targets=frozenset({"\0"}))

    with pytest.raises(InvalidArgument):
        db.look(lambda tx: events.list_after(tx, 0, wanted), by=ann)
