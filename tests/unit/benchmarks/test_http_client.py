"""The load generator reads HTTP answers no further than it must, but never wrongly."""

import pytest

from benchmarks.http_client import Head, parse_head, post_line, post_same_line

ANSWER = b"HTTP/1.1 200 OK\r\ndate: today\r\nContent-Length: 4\r\n\r\nfull"


def test_head_gives_status_and_size_with_the_body() -> None:
    assert parse_head(ANSWER) == Head(status=200, size_bytes=len(ANSWER))


@pytest.mark.parametrize("size", range(len(ANSWER) - len(b"full")))
def test_incomplete_head_is_waited_for(size: int) -> None:
    assert parse_head(ANSWER[:size]) is None


def test_size_is_known_before_the_body_came() -> None:
    head = parse_head(ANSWER[:-3])

    assert head is not None
    assert head.size_bytes == len(ANSWER)


def test_status_of_a_refusal_is_read() -> None:
    head = parse_head(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n")

    assert head == Head(status=429, size_bytes=53)


def test_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(ValueError, match="without content-length"):
        parse_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_content_length_in_a_body_is_no_header() -> None:
    with pytest.raises(ValueError, match="without content-length"):
        parse_head(b"HTTP/1.1 200 OK\r\n\r\ncontent-length: 4\r\n\r\n")


def test_each_write_has_a_key_of_its_own_and_the_same_size() -> None:
    requests = post_line("/v1/commands", "whoami", key="k")

    first, second = next(requests), next(requests)

    assert first != second
    assert len(first) == len(second)


def test_announced_length_is_the_length_of_the_body() -> None:
    request = next(post_same_line("/echo", 'task create "Übung"', key="k"))

    head, _, body = request.partition(b"\r\n\r\n")

    assert b"Content-Length: %d\r\n" % len(body) in head
    assert body == '{"line":"task create \\"Übung\\""}'.encode()
