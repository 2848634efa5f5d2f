"""Frames: what is read, what is refused, and what is written back."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.websocket import wire
from channels.websocket.wire import (
    Ack,
    Complete,
    Exec,
    Hello,
    Resume,
    Standing,
    Subscribe,
)
from core.kernel.principal import Assurance, Principal, TenantId
from core.kernel.problems import InvalidArgument, Problem

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
ANN = Principal(
    id="U-1", name="ann", tenant=TenantId("default"), assurance=Assurance.SECRET
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = (
    "hello",
    "exec",
    "complete",
    "cancel",
    "ack",
    "subscribe",
    "unsubscribe",
    "ping",
    "pong",
)
FIELDS = ("id", "line", "command", "args", "cols", "pos", "seq", "filter", "after")
SECRETS = ("protocol", "token", "ticket", "resume")


def parse(**frame: object) -> wire.Frame:
    return wire.parse_frame(orjson.dumps(frame).decode())


def test_hello_carries_a_credential_and_a_session() -> None:
    resume = {"session": "ws_1", "seq": 12}

    assert parse(t="hello", protocol=1, token="k", resume=resume) == Hello(
        credential="k", resume=Resume(session="ws_1", seq=12)
    )
    assert parse(t="hello", protocol=1, ticket="once") == Hello(credential="once")


def test_exec_is_a_line_or_a_call() -> None:
    assert parse(t="exec", id="a", line="task list", cols=80) == Exec(
        id="a", line="task list", cols=80
    )
    assert parse(t="exec", id="a", command="task.list", args={"limit": 2}) == Exec(
        id="a", command="task.list", args={"limit": 2}
    )


def test_filter_takes_a_word_or_a_list() -> None:
    wanted = {"types": "task_created", "targets": ["T-1", "T-2"]}

    assert parse(t="subscribe", id="s", filter=wanted, after=4) == Subscribe(
        id="s",
        wanted={
            "types": frozenset({"task_created"}),
            "targets": frozenset({"T-1", "T-2"}),
        },
        after=4,
    )


def test_small_frames_are_read() -> None:
    assert parse(t="ack", seq=3) == Ack(seq=3)
    assert parse(t="complete", id="c", line="ta", pos=2) == Complete(
        id="c", line="ta", pos=2
    )


def test_envelope_has_the_exec_id_as_its_key() -> None:
    """`M-OMN-02`: the id makes it the same message when it is sent again."""
    envelope = wire.to_envelope(
        Exec(id="a", line="task list"), ANN, session="ws_1", now=NOW
    )

    assert (envelope.channel, envelope.external_id) == ("websocket", "a")
    assert (envelope.conversation, envelope.sender) == ("ws_1", "U-1")
    assert (envelope.assurance, envelope.credential) == (Assurance.SECRET, ANN)


@given(
    st.dictionaries(st.sampled_from(FIELDS + SECRETS), JSON, max_size=5),
    st.sampled_from(KINDS),
)
@settings(deadline=None, max_examples=500)
def test_any_fields_are_a_frame_or_a_problem(
    fields: dict[str, object], kind: str
) -> None:
    """`R-19`: nothing else is raised, whatever a client makes up."""
    try:
        outcome: object = parse(t=kind, **fields)
    except Problem as problem:
        outcome = problem

    assert isinstance(outcome, Problem) or type(outcome).__name__.lower() == kind


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_a_frame_or_a_problem(text: str) -> None:
    with pytest.raises(Problem):
        wire.parse_frame(text)

    assert wire.find_id(text) == ""


@pytest.mark.parametrize("pos", [-1, 3, 1.0, True, None])
def test_position_lies_inside_of_the_line(pos: object) -> None:
    with pytest.raises(InvalidArgument):
        parse(t="complete", id="c", line="ab", pos=pos)


@given(st.text(max_size=20), JSON, st.none() | st.text(max_size=20))
@settings(deadline=None)
def test_reply_goes_out_as_it_was_stored(
    exec_id: str, reply: object, ansi: str | None
) -> None:
    """`R-18`: not decoded and encoded again on its way."""
    body = orjson.dumps(reply)

    text = wire.render_reply(7, exec_id, body, ansi=ansi)

    expected = {"t": "reply", "seq": 7, "id": exec_id, "reply": reply}
    assert orjson.loads(text) == expected | ({} if ansi is None else {"ansi": ansi})
    assert body.decode() in text


def test_other_frames_are_json() -> None:
    welcome = orjson.loads(wire.render_welcome(Standing("ws_1", 4, gap=True)))
    event = orjson.loads(wire.render_event("s", b'{"seq":3,"event":"task_created"}'))
    error = orjson.loads(wire.render_error(InvalidArgument("no", fix=["so"]), "a"))

    assert welcome["gap"] is True
    assert event == {"t": "event", "id": "s", "seq": 3, "event": "task_created"}
    assert error == {
        "t": "error",
        "code": "invalid_argument",
        "detail": "no",
        "fix": ["so"],
        "id": "a",
    }
