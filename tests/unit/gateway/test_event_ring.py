"""The ring gives every reader what follows its place, or says that it cannot."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from core.events.model import Event, EventFilter
from gateway.event_ring import BATCH_BYTES, Batch, Entry, EventRing, to_entry

EVERYTHING = EventFilter()
FIRST = 11


def an_entry(seq: int, *, kind: str = "ping_sent", size: int = 0) -> Entry:
    return to_entry(
        Event(
            seq=seq,
            ts=datetime(2026, 11, 4, tzinfo=UTC),
            type=kind,
            actor="ann",
            channel="rest",
            target=f"n-{seq}",
            details={"text": "x" * size},
        )
    )


def seqs(batch: Batch | None) -> list[int] | None:
    return None if batch is None else [line.seq for line in batch.lines]


def test_an_entry_is_the_line_and_the_message_of_its_event() -> None:
    entry = an_entry(12, size=3)

    assert entry.line.body.startswith(b'{"actor":"ann"')
    assert entry.message == (
        b"id: 12\nevent: ping_sent\ndata: " + entry.line.body + b"\n\n"
    )


@settings(deadline=None)
@given(
    pages=st.lists(st.integers(0, 7), max_size=8),
    most=st.integers(1, 12),
    place=st.integers(0, 80),
)
def test_what_follows_a_place_is_whole_or_unknown(
    pages: list[int], most: int, place: int
) -> None:
    """M-EVT-04: never a part of it, wherever the ring was cut."""
    tip = FIRST - 1
    ring = EventRing(tip, most_events=most)
    for page in pages:
        ring.extend(an_entry(seq) for seq in range(tip + 1, tip + 1 + page))
        tip += page
    kept_from = max(FIRST, tip - most + 1)

    found = ring.after(place, EVERYTHING)

    assert ring.tip == tip
    if place < kept_from - 1:
        assert found is None
    else:
        assert seqs(found) == list(range(place + 1, tip + 1))


@settings(deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["a_done", "b_done"]), max_size=20),
    place=st.integers(0, 20),
)
def test_a_filter_leaves_out_and_moves_on(kinds: list[str], place: int) -> None:
    ring = EventRing(0)
    ring.extend(an_entry(seq, kind=kind) for seq, kind in enumerate(kinds, 1))
    wanted = EventFilter(types=frozenset({"b_done"}))

    found = ring.after(min(place, len(kinds)), wanted)

    assert found is not None
    assert found.last == len(kinds)
    assert seqs(found) == [
        seq for seq, kind in enumerate(kinds, 1) if kind == "b_done" and seq > place
    ]


def test_readers_at_the_same_place_share_one_batch() -> None:
    """P-8: joined once, however many read it."""
    ring = EventRing(0)
    ring.extend([an_entry(1), an_entry(2)])

    one, other = ring.after(0, EVERYTHING), ring.after(0, EVERYTHING)

    assert one is other
    assert one is not None
    assert one.messages is one.messages


def test_a_batch_is_bounded_and_goes_on_behind_itself() -> None:
    """M-EVT-08"""
    ring = EventRing(0)
    ring.extend(an_entry(seq, size=10_000) for seq in range(1, 21))
    place, found = 0, list[int]()

    while place < 20:
        batch = ring.after(place, EVERYTHING)
        assert batch is not None
        assert len(batch.messages) < BATCH_BYTES + 11_000
        found += seqs(batch) or []
        place = batch.last

    assert found == list(range(1, 21))


def test_the_ring_is_bounded_in_bytes() -> None:
    ring = EventRing(0, most_bytes=100_000)

    ring.extend(an_entry(seq, size=10_000) for seq in range(1, 21))

    assert ring.after(0, EVERYTHING) is None
    assert seqs(ring.after(18, EVERYTHING)) == [19, 20]


def test_a_hole_is_never_passed_over() -> None:
    """R-36: events that were removed unread make the ring forget what came before."""
    ring = EventRing(0)
    ring.extend([an_entry(1)])

    ring.extend([an_entry(5)])

    assert ring.after(0, EVERYTHING) is None
    assert ring.after(1, EVERYTHING) is None
    assert seqs(ring.after(4, EVERYTHING)) == [5]
