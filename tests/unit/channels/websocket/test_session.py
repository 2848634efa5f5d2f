"""The order of answers, and what a client that comes back is given."""

import asyncio
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.websocket.session import (
    KEPT_BYTES,
    MOST_KEPT,
    Answered,
    Owner,
    Session,
    Sessions,
)
from channels.websocket.wire import CloseCode
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.problems import TooManySessions, Unavailable

ANN = Owner(DEFAULT_TENANT, "U-1")
BOB = Owner(DEFAULT_TENANT, "U-2")


class Recorder:
    """A connection that takes a number of frames and then none."""

    def __init__(self, lasts: int = 10**6) -> None:
        self.frames: list[dict[str, object]] = []
        self.closed: list[CloseCode] = []
        self._lasts = lasts

    async def send(self, payload: str) -> bool:
        if len(self.frames) >= self._lasts:
            return False
        self.frames.append(orjson.loads(payload))
        return True

    def mute(self) -> None:
        self._lasts = 0

    async def close(self, code: CloseCode, reason: str) -> None:
        self.closed.append(code)


def answered(exec_id: str, seq: int = 0, *, size: int = 2) -> Answered:
    return Answered(exec_id=exec_id, stored_seq=seq, reply=b'"%s"' % (b"x" * size))


def deliver(session: Session, answers: Sequence[Answered]) -> None:
    async def all_of_them() -> None:
        for each in answers:
            await session.deliver(each)

    asyncio.run(all_of_them())


def test_reads_and_replays_carry_the_cursor_as_it_stands() -> None:
    session, link = Session("ws_1", ANN), Recorder()
    session.attach(link)

    deliver(session, [answered("r"), answered("a", 4), answered("s"), answered("b", 9)])

    assert [(f["id"], f["seq"]) for f in link.frames] == [
        ("r", 0),
        ("a", 4),
        ("s", 4),
        ("b", 9),
    ]


def test_number_that_comes_late_does_not_turn_the_cursor_back() -> None:
    session, link = Session("ws_1", ANN), Recorder()
    session.attach(link)

    deliver(session, [answered("b", 9), answered("a", 4)])

    assert [(f["id"], f["seq"]) for f in link.frames] == [("b", 9), ("a", 9)]


def test_answer_that_was_replayed_is_not_sent_again() -> None:
    """It was committed before the inbox was read, and told of after."""
    session = Session("ws_1", ANN)
    session.catch_up(0, [answered("a", 4)])
    link = Recorder()
    session.attach(link)

    deliver(session, [answered("a", 4), answered("b", 5)])

    assert [frame["id"] for frame in link.frames] == ["b"]


def test_memory_of_a_session_is_bounded() -> None:
    """`R-35`: by number and by size."""
    session = Session("ws_1", ANN)

    deliver(session, [answered(f"r{number}") for number in range(MOST_KEPT + 9)])
    assert len(session.catch_up(0, [])) == MOST_KEPT

    deliver(session, [answered("big", size=KEPT_BYTES)])
    assert session.catch_up(0, []) == []


def test_acknowledged_answers_are_forgotten() -> None:
    session = Session("ws_1", ANN)
    deliver(session, [answered("a", 4), answered("r"), answered("b", 9)])

    session.acknowledge(9)

    assert [orjson.loads(each)["id"] for each in session.catch_up(0, [])] == ["b"]


def test_link_that_was_replaced_does_not_detach_the_new_one() -> None:
    session, old, new = Session("ws_1", ANN), Recorder(), Recorder()
    session.attach(old)
    assert session.take_over() is old
    session.attach(new)

    session.detach(old)

    assert session.link is new


async def talk(
    session: Session, link: Recorder, frames: Sequence[str], answers: Sequence[Answered]
) -> None:
    for frame in frames:
        await link.send(frame)
    for each in answers:
        await session.deliver(each)


@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.lists(st.integers(0, 12), min_size=1, max_size=8),
    st.integers(0, 3),
)
@settings(deadline=None, max_examples=300)
def test_any_cuts_lose_nothing_double_nothing_and_keep_the_order(
    is_stored: list[bool], cuts: list[int], lag: int
) -> None:
    """`R-40`: each connection takes some frames, then drops the rest unseen.

    `lag` answers are committed, and visible in the inbox, before they are delivered.
    """
    script = [
        answered(f"x{number}", number if stored else 0)
        for number, stored in enumerate(is_stored, 1)
    ]
    inbox = [each for each in script if each.stored_seq]
    session, seen, seq = Session("ws_1", ANN), [], 0
    position = 0
    for lasts in [*cuts, 10**6]:
        link = Recorder(lasts)
        step = len(script) if lasts == 10**6 else position + lasts + 1
        committed = position + lag
        stored = [e for e in inbox if seq < e.stored_seq <= committed]
        frames = session.catch_up(
            seq, [answered(e.exec_id, e.stored_seq) for e in stored]
        )
        session.attach(link)

        asyncio.run(talk(session, link, frames, script[position:step]))
        session.detach(link)
        position = max(position, min(step, len(script)))
        seen += link.frames
        seq = max([seq, *(int(str(frame["seq"])) for frame in link.frames)])

    seqs = [frame["seq"] for frame in seen]
    told = [frame["id"] for frame in seen]
    reads = {each.exec_id for each in script if not each.stored_seq}
    assert seqs == sorted(seqs, key=lambda it: int(str(it)))
    assert len(told) == len(set(told))
    assert set(told) >= {each.exec_id for each in inbox}
    assert set(told) <= {each.exec_id for each in script}
    assert {each.exec_id for each in script} - set(told) <= reads


def test_session_belongs_to_its_owner() -> None:
    """`R-59`: an id that somebody else has is no id."""
    sessions = Sessions(most=9, most_each=9)
    mine = sessions.create(ANN)

    assert sessions.find(mine.id, ANN) is mine
    assert sessions.find(mine.id, BOB) is None


def test_unknown_session_begins_again_under_its_id() -> None:
    sessions = Sessions(most=9, most_each=9)
    before_the_restart = Sessions(most=9, most_each=9).create(ANN).id

    found = sessions.find(before_the_restart, ANN)

    assert found is not None
    assert found.id == before_the_restart


@pytest.mark.parametrize("session_id", ["", "ws_", "ws_1", "x" * 29, "ws_" + "a" * 26])
def test_made_up_id_is_no_session(session_id: str) -> None:
    assert Sessions(most=9, most_each=9).find(session_id, ANN) is None


def test_connected_sessions_are_counted_by_owner() -> None:
    sessions = Sessions(most=9, most_each=1)
    first = sessions.create(ANN)
    first.attach(Recorder())

    with pytest.raises(TooManySessions):
        sessions.create(ANN)

    assert sessions.find(first.id, ANN) is first
    assert sessions.create(BOB).owner == BOB


def test_sockets_are_counted_and_old_sessions_forgotten() -> None:
    sessions = Sessions(most=1, most_each=9)
    first = sessions.create(ANN)
    for _ in range(3):
        sessions.create(ANN)
    sessions.enter()
    with pytest.raises(Unavailable):
        sessions.enter()

    sessions.leave()

    assert sessions.open_count == 0
    assert sessions.find(first.id, BOB) is not None, "its place was free to be taken"
