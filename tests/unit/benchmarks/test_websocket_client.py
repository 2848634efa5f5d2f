"""The load generator's frames are those of RFC 6455, checked against `websockets`."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame as Reference
from websockets.frames import Opcode
from websockets.streams import StreamReader

from benchmarks.websocket_client import exec_line, frame_head, parse_frame

SIZES = [0, 1, 125, 126, 65_535, 65_536]


def decode(raw: bytes) -> Reference:
    """Read a client's frame with the reference implementation."""
    reader = StreamReader()
    reader.feed_data(raw)
    parsing = Reference.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as end:
        next(parsing)
    frame: Reference = end.value.value
    return frame


@pytest.mark.parametrize("size", SIZES)
def test_server_frames_of_every_size_are_read(size: int) -> None:
    payload = b"x" * size
    raw = Reference(Opcode.TEXT, payload).serialize(mask=False)

    frame = parse_frame(raw + b"next")

    assert frame == (Opcode.TEXT, payload, len(raw))


@given(payload=st.binary(max_size=300), cut=st.integers(min_value=1))
@settings(deadline=None)
def test_incomplete_frame_is_waited_for(payload: bytes, cut: int) -> None:
    raw = Reference(Opcode.TEXT, payload).serialize(mask=False)

    assert parse_frame(raw[: -(cut % len(raw)) or -1]) is None


@pytest.mark.parametrize("size", SIZES)
def test_client_frames_are_masked_as_a_server_demands(size: int) -> None:
    payload = b"x" * size

    frame = decode(frame_head(Opcode.TEXT, size) + payload)

    assert frame.opcode is Opcode.TEXT
    assert bytes(frame.data) == payload


def test_exec_frames_differ_in_their_id_alone() -> None:
    requests = exec_line('task create "Fix login"')

    first, second = (orjson.loads(decode(next(requests)).data) for _ in range(2))

    assert first.pop("id") != second.pop("id")
    assert first == second == {"t": "exec", "line": 'task create "Fix login"'}
