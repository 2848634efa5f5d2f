"""Keep what runs print, and read it from a byte on or from its end."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.kernel.problems import InvalidQuery
from core.runs.logs import store
from core.runs.logs.model import (
    LOG_BYTES,
    MOST_LINES,
    READ_BYTES,
    TRUNCATED,
    LogChunk,
    LogPage,
    after,
    cut,
    lines_of,
    split,
    storable,
)
from core.runs.model import Run
from core.runs.reports import LogReport

_BATCH = 8
_MOST_CHUNKS = 4_000
_LAST_SEQ = 1 << 62


def append(tx: Tx, run: Run, log: LogReport, *, most: int = LOG_BYTES) -> None:
    """Keep a piece of output behind what the run printed before.

    Shape:  as it came: escapes are made harmless when it is shown. What goes beyond
            `most` bytes is dropped, and a last chunk says so, once.
    """
    last = store.find_last(tx, run.id)
    for text in split(storable(log.text)):
        if last is not None and last.stream == TRUNCATED:
            return
        last = _put(tx, run, replace(log, text=text), last=last, most=most)


def read(
    tx: Tx,
    run_id: str,
    *,
    offset: int = 0,
    tail: int = 0,
    step: str = "",
    limit: int = READ_BYTES,
) -> LogPage:
    """Read a part of a run's log, of one step or of all.

    Shape:  with `tail` the last so many lines, else what begins at byte `offset`.
    Units:  `limit` is in bytes; one chunk is given even if it is longer.
    Raises: InvalidQuery for a negative offset or more than 1,000 lines.
    """
    _check(offset, tail)
    if tail:
        return _read_tail(tx, run_id, tail, step=step)
    return _read_from(tx, run_id, offset, step=step, limit=limit)


def purge(tx: Tx, run_id: str) -> None:
    """Forget what a run printed."""
    store.delete(tx, run_id)


def _put(
    tx: Tx, run: Run, log: LogReport, *, last: LogChunk | None, most: int
) -> LogChunk:
    begin = last.end if last else 0
    kept = cut(log.text.encode(), max(0, most - begin))
    if kept:
        last = _next(tx, run, replace(log, text=kept), last=last)
        store.add(tx, run.id, last)
    if kept == log.text and last is not None:
        return last
    end = _next(tx, run, LogReport(text=_mark(most), step=log.step), last=last)
    end = replace(end, stream=TRUNCATED)
    store.add(tx, run.id, end)
    return end


def _next(tx: Tx, run: Run, log: LogReport, *, last: LogChunk | None) -> LogChunk:
    chunk = LogChunk(
        seq=last.seq + 1 if last else 1,
        attempt=run.attempt,
        step=log.step,
        stream=log.stream,
        begin=last.end if last else 0,
        first_line=1,
        text=log.text,
        at=tx.now,
    )
    if last is None:
        return chunk
    goes_on = last.source == chunk.source
    line = last.next_line if goes_on else last.last_line + 1
    return replace(chunk, first_line=line)


def _mark(most: int) -> str:
    return f"The log ends here: {most} bytes are kept of what a run prints.\n"


def _check(offset: int, tail: int) -> None:
    if offset < 0:
        raise InvalidQuery("an offset counts bytes from 0", fix=["--offset 0"])
    if not 0 <= tail <= MOST_LINES:
        raise InvalidQuery(
            f"{tail} lines cannot be read at once", fix=[f"use 1 to {MOST_LINES}"]
        )


def _read_from(tx: Tx, run_id: str, offset: int, *, step: str, limit: int) -> LogPage:
    end = store.find_last(tx, run_id)
    seq = store.find_holder(tx, run_id, offset)
    found: list[LogChunk] = []
    left = limit
    while left > 0:
        batch = store.list_from(tx, run_id, seq, step=step, most=_BATCH)
        for chunk in batch:
            fresh = _from_byte(chunk, offset)
            if left > 0 and fresh.text:
                found.append(fresh)
                left -= len(fresh.text.encode())
        if len(batch) < _BATCH:
            break
        seq = batch[-1].seq + 1
    # What was appended since the end was looked up may have been listed already.
    reached = [offset, *(chunk.end for chunk in found[-1:])]
    if left > 0 and end:
        reached.append(end.end)
    return _page(found, end, next_offset=max(reached))


def _from_byte(chunk: LogChunk, offset: int) -> LogChunk:
    """Leave out what stands before a byte."""
    if offset <= chunk.begin:
        return chunk
    text = after(chunk.text, offset - chunk.begin)
    skipped = chunk.text[: len(chunk.text) - len(text)]
    return replace(
        chunk,
        text=text,
        begin=chunk.begin + len(skipped.encode()),
        first_line=chunk.first_line + skipped.count("\n"),
    )


def _read_tail(tx: Tx, run_id: str, tail: int, *, step: str) -> LogPage:
    end = store.find_last(tx, run_id)
    found: list[LogChunk] = []
    seq, breaks = _LAST_SEQ, 0
    # One line more than asked for: the first may have begun in a chunk before.
    while breaks <= tail and len(found) < _MOST_CHUNKS:
        batch = store.list_before(tx, run_id, seq, step=step, most=_BATCH)
        found += batch
        breaks += sum(chunk.text.count("\n") for chunk in batch)
        if len(batch) < _BATCH:
            break
        seq = batch[-1].seq
    found.reverse()
    page = _page(found, end, next_offset=end.end if end else 0)
    return replace(page, lines=page.lines[-tail:])


def _page(
    found: Sequence[LogChunk], end: LogChunk | None, *, next_offset: int
) -> LogPage:
    return LogPage(
        chunks=found,
        lines=lines_of(found),
        next_offset=next_offset,
        total_lines=end.last_line if end else 0,
        is_truncated=end is not None and end.stream == TRUNCATED,
    )
