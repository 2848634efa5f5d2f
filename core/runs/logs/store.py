"""Queries over the chunks of logs."""

from collections.abc import Sequence

from sqlalchemy import bindparam, or_

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros
from core.runs.logs.model import LogChunk
from core.runs.logs.tables import run_logs

_TABLE = run_logs.c
_OF_RUN = (
    _TABLE.tenant_id == bindparam("tenant"),
    _TABLE.run_id == bindparam("of"),
)
_OF_STEP = or_(bindparam("of_step") == "", _TABLE.step == bindparam("of_step"))
_ALL = run_logs.select().with_only_columns(
    _TABLE.seq,
    _TABLE.attempt,
    _TABLE.step,
    _TABLE.stream,
    _TABLE.begin,
    _TABLE.first_line,
    _TABLE.text,
    _TABLE.created_at,
)
_LAST = Prepared(_ALL.where(*_OF_RUN).order_by(_TABLE.seq.desc()).limit(1))
# The chunk that holds a byte is the last that begins at it or before.
_HOLDER = Prepared(
    _ALL.with_only_columns(_TABLE.seq)
    .where(*_OF_RUN, _TABLE.begin <= bindparam("at_byte"))
    .order_by(_TABLE.seq.desc())
    .limit(1)
)
_FROM = Prepared(
    _ALL.where(*_OF_RUN, _OF_STEP, _TABLE.seq >= bindparam("since"))
    .order_by(_TABLE.seq)
    .limit(bindparam("most"))
)
_BEFORE = Prepared(
    _ALL.where(*_OF_RUN, _OF_STEP, _TABLE.seq < bindparam("until"))
    .order_by(_TABLE.seq.desc())
    .limit(bindparam("most"))
)
_DELETE = Prepared(run_logs.delete().where(*_OF_RUN))


def add(tx: Tx, run_id: str, chunk: LogChunk) -> None:
    """Store the next chunk of a run."""
    tx.insert(
        run_logs,
        {
            "run_id": run_id,
            "seq": chunk.seq,
            "attempt": chunk.attempt,
            "step": chunk.step,
            "stream": chunk.stream,
            "begin": chunk.begin,
            "first_line": chunk.first_line,
            "text": chunk.text,
        },
    )


def find_last(tx: Tx, run_id: str) -> LogChunk | None:
    """Find the end of a run's log."""
    rows = tx.run(_LAST, of=run_id)
    return _to_chunk(rows[0]) if rows else None


def find_holder(tx: Tx, run_id: str, offset: int) -> int:
    """Find the chunk that a byte stands in, by its number; 1 if there is none."""
    rows = tx.run(_HOLDER, of=run_id, at_byte=offset)
    return int(rows[0][0]) if rows else 1


def list_from(
    tx: Tx, run_id: str, seq: int, *, step: str, most: int
) -> Sequence[LogChunk]:
    """List chunks from one on, of one step or, with "", of all."""
    rows = tx.run(_FROM, of=run_id, of_step=step, since=seq, most=most)
    return [_to_chunk(row) for row in rows]


def list_before(
    tx: Tx, run_id: str, seq: int, *, step: str, most: int
) -> Sequence[LogChunk]:
    """List the last chunks before one, the latest first."""
    rows = tx.run(_BEFORE, of=run_id, of_step=step, until=seq, most=most)
    return [_to_chunk(row) for row in rows]


def delete(tx: Tx, run_id: str) -> None:
    """Forget a run's log."""
    tx.change(_DELETE, of=run_id)


def _to_chunk(row: Row) -> LogChunk:
    seq, attempt, step, stream, begin, first_line, text, created_at = row
    return LogChunk(
        seq=seq,
        attempt=attempt,
        step=step,
        stream=stream,
        begin=begin,
        first_line=first_line,
        text=text,
        at=from_micros(created_at),
    )
