"""What runs print: chunks as they came, and the lines that people read; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

LOG_BYTES = 20 * 1024 * 1024
"""What is kept of the output of one run, all its attempts together."""

CHUNK_BYTES = 64 * 1024
READ_BYTES = 256 * 1024
MOST_LINES = 1_000
LONGEST_LINE = 4_000

TRUNCATED = "truncated"
"""The stream of the chunk that ends a log which grew too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk:
    """A piece of what a step printed, as it came.

    Units:  `begin` counts the bytes (UTF-8) of the run's log before it; `first_line`
            is the number of the line that it begins in, from 1.
    """

    seq: int
    attempt: int
    step: str
    stream: str
    begin: int
    first_line: int
    text: str
    at: datetime

    @property
    def source(self) -> tuple[int, str, str]:
        """Whose output it is; lines never go on from one source to another."""
        return (self.attempt, self.step, self.stream)

    @property
    def end(self) -> int:
        """How many bytes the log has with it."""
        return self.begin + len(self.text.encode())

    @property
    def last_line(self) -> int:
        """The number of the line that its last character belongs to."""
        breaks = self.text.count("\n")
        return self.first_line + breaks - (1 if self.text.endswith("\n") else 0)

    @property
    def next_line(self) -> int:
        """The number of the line that more from the same source begins in."""
        return self.first_line + self.text.count("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a log, without its end."""

    number: int
    attempt: int
    step: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A part of a log.

    Shape:  the lines at its edges may be parts of longer ones, unless a tail was
            asked for. `is_truncated` says that the run printed more than is kept.
    Units:  `next_offset` is the byte after the last that was looked at; asking from
            there gives what came later. `total_lines` counts those of the whole run.
    """

    chunks: Sequence[LogChunk]
    lines: Sequence[LogLine]
    next_offset: int
    total_lines: int
    is_truncated: bool = False


def lines_of(chunks: Sequence[LogChunk]) -> Sequence[LogLine]:
    """Put chunks together to lines; what is over `LONGEST_LINE` is cut."""
    found: list[LogLine] = []
    for chunk in chunks:
        for number, text in _numbered(chunk):
            last = found[-1] if found else None
            if last and (last.number, _source(last)) == (number, chunk.source):
                found[-1] = _line(chunk, number, last.text + text)
            else:
                found.append(_line(chunk, number, text))
    return found


def split(text: str, *, most: int = CHUNK_BYTES) -> Iterator[str]:
    """Cut a text into pieces of at most so many bytes, between characters."""
    raw = text.encode()
    while raw:
        piece = cut(raw, most)
        yield piece
        raw = raw[len(piece.encode()) :]


def cut(raw: bytes, most: int) -> str:
    """Return the first bytes as text; a character that does not fit is left out."""
    return raw[:most].decode(errors="ignore")


def after(text: str, skipped: int) -> str:
    """Return a text without its first bytes and the rest of a character there."""
    return text.encode()[skipped:].decode(errors="ignore")


def storable(text: str) -> str:
    """Replace what one of the databases cannot keep: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _numbered(chunk: LogChunk) -> Iterator[tuple[int, str]]:
    """List the lines of a chunk; an end of line at its end begins no other one."""
    texts = chunk.text.split("\n")
    if texts[-1] == "":
        texts.pop()
    return enumerate(texts, chunk.first_line)


def _source(line: LogLine) -> tuple[int, str, str]:
    return (line.attempt, line.step, line.stream)


def _line(chunk: LogChunk, number: int, text: str) -> LogLine:
    return LogLine(
        number=number,
        attempt=chunk.attempt,
        step=chunk.step,
        stream=chunk.stream,
        text=text[:LONGEST_LINE],
    )
