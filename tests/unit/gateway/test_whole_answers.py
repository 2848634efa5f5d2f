"""A head leaves with its body in one write, and alone when nothing follows it."""

import asyncio
from collections.abc import Iterable

from gateway.http.whole_answers import WholeAnswer


class Written(asyncio.Transport):
    """A transport that keeps what was written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(
        self, list_of_data: Iterable[bytes | bytearray | memoryview]
    ) -> None:
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def answer(*pieces: bytes) -> tuple[Written, WholeAnswer]:
    written = Written()
    whole = WholeAnswer(written, asyncio.get_running_loop())
    for piece in pieces:
        whole.write(piece)
    return written, whole


async def test_head_leaves_with_its_body() -> None:
    written, _ = await answer(b"head", b"body")
    assert written.writes == [b"headbody"]
    await asyncio.sleep(0)
    assert written.writes == [b"headbody"]


async def test_head_of_a_stream_does_not_wait_for_its_first_event() -> None:
    written, whole = await answer(b"head")
    await asyncio.sleep(0)
    assert written.writes == [b"head"]
    whole.write(b"event")
    assert written.writes == [b"head", b"event"]


async def test_pieces_of_a_long_body_keep_their_order() -> None:
    written, _ = await answer(b"head", b"one", b"two")
    assert b"".join(written.writes) == b"headonetwo"


async def test_head_without_a_body_leaves_before_the_end() -> None:
    written, whole = await answer(b"head")
    whole.close()
    assert written.writes == [b"head"]
    assert whole.is_closing()


async def test_nothing_is_written_to_a_connection_that_ended_meanwhile() -> None:
    written, _ = await answer(b"head")
    written.close()
    await asyncio.sleep(0)
    assert written.writes == []
