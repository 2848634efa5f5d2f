"""The statements that give runs out; what they mean is in claims.py."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from core.database import Prepared, Tx
from core.kernel.ids import number_of
from core.kernel.lanes import Lane
from core.runs.lanes import turns
from core.runs.lanes.model import LaneRule
from core.runs.model import MANUAL, Run
from core.runs.reports import Wanted
from core.runs.store import COLUMNS, OWN, to_runs
from core.runs.tables import HELD, run_labels, runs

MOST_DUE = 64

_TABLE = runs.c
_TENANT: BindParameter[str] = bindparam("tenant")
_ONE: ColumnElement[int] = literal_column("1")
_BAR: ColumnElement[str] = literal_column("'|'")
_NOTHING: ColumnElement[str] = literal_column("''")


def take(tx: Tx, wanted: Wanted, rules: Mapping[Lane, LaneRule]) -> Sequence[Run]:
    """Make a worker the holder of what it may take next."""
    given = to_runs(tx.run(CLAIM, **values_of(tx, wanted, rules)))
    turns.note(tx, given, rules)
    return _in_order(given)


def take_one(
    tx: Tx, run_id: str, wanted: Wanted, rules: Mapping[Lane, LaneRule]
) -> Sequence[Run]:
    """Make a worker the holder of one run, if nothing holds that up."""
    if number_of(run_id, "R") is None:
        return []
    values = values_of(tx, wanted, rules)
    return to_runs(tx.run(CLAIM_ONE, of=run_id, **values))


def list_due(tx: Tx) -> Sequence[Run]:
    """List what waited for a moment that has come, the longest overdue first."""
    return to_runs(tx.run(_DUE, now=tx.micros, many=MOST_DUE))


def values_of(
    tx: Tx, wanted: Wanted, rules: Mapping[Lane, LaneRule]
) -> dict[str, object]:
    """Bind what a worker wants, and what the lanes let it have."""
    return {
        "who": wanted.worker,
        "now": tx.micros,
        "until": tx.micros + wanted.lease // timedelta(microseconds=1),
        "most": wanted.limit,
        "has": _barred(wanted.labels),
        "kinds": _barred(wanted.kinds),
        "refused": "" if wanted.takes_manual else MANUAL,
        **{f"room_{lane}": rules[lane].concurrency for lane in Lane},
        **{f"cost_{lane}": turns.cost(rules[lane]) for lane in Lane},
        **{f"start_{lane}": turns.start(tx, lane) for lane in Lane},
    }


def _barred(words: frozenset[str]) -> str:
    """Write words such that each can be looked for by the bars at its sides."""
    return "|" + "".join(f"{word}|" for word in sorted(words)) if words else ""


def _in_order(given: Sequence[Run]) -> Sequence[Run]:
    """Order what a statement gave in no order: lane, priority, then the oldest."""
    return sorted(
        given,
        key=lambda run: (
            run.lane,
            -run.priority,
            run.available_at,
            number_of(run.id, "R") or 0,
        ),
    )


def _has(words: str, word: ColumnElement[str]) -> ColumnElement[bool]:
    """Tell whether barred words have one; said so that both databases understand."""
    barred: ColumnElement[str] = bindparam(words, type_=Text)
    return func.replace(barred, _BAR + word + _BAR, _NOTHING) != barred


_held = runs.alias("held")
_IS_HELD: ColumnElement[bool] = literal_column(
    HELD.replace("status", "held.status").replace("worker", "held.worker")
)


def _held_in(lane: ColumnElement[str]) -> ColumnElement[int]:
    """Count what of a lane is held now."""
    return (
        select(func.count())
        .select_from(_held)
        .where(_held.c.tenant_id == _TENANT, _IS_HELD, _held.c.lane == lane)
        .scalar_subquery()
    )


def _held_by(key: ColumnElement[str]) -> ColumnElement[int]:
    """Count what is held under a concurrency key now."""
    return (
        select(func.count())
        .select_from(_held)
        .where(
            _held.c.tenant_id == _TENANT,
            _IS_HELD,
            _held.c.concurrency_key == key,
        )
        .scalar_subquery()
    )


def _lacks_label() -> ColumnElement[bool]:
    return (
        select(_ONE)
        .select_from(run_labels)
        .where(
            run_labels.c.tenant_id == _TENANT,
            run_labels.c.run_id == _TABLE.id,
            ~_has("has", run_labels.c.label),
        )
        .correlate(runs)
        .exists()
    )


def _is_free() -> tuple[ColumnElement[bool], ...]:
    """Say what lets a worker have a run, as far as the run alone decides it."""
    return (
        literal_column("runs.status = 'queued'"),
        or_(bindparam("kinds", type_=Text) == _NOTHING, _has("kinds", _TABLE.kind)),
        _TABLE.kind != bindparam("refused"),
        or_(_TABLE.labels == literal_column("'[]'"), ~_lacks_label()),
        or_(
            _TABLE.concurrency_key == _NOTHING,
            _held_by(_TABLE.concurrency_key) < _TABLE.concurrency_limit,
        ),
    )


_PLACED_BY = (
    _TABLE.tenant_id,
    _TABLE.id,
    _TABLE.lane,
    _TABLE.precedence,
    _TABLE.available_at,
    _TABLE.number,
    _TABLE.concurrency_key,
    _TABLE.concurrency_limit,
)


def _first_of(lane: Lane) -> Select[*tuple[Any, ...]]:
    """Select the first free runs of a lane, each with its place behind what is held."""
    held = _held_in(literal_column(f"'{lane}'"))
    first = (
        select(*_PLACED_BY)
        .where(_TABLE.tenant_id == _TENANT, _TABLE.lane == literal_column(f"'{lane}'"))
        .where(*_is_free())
        .where(held < _number(f"room_{lane}"))
        .order_by(_TABLE.precedence, _TABLE.available_at, _TABLE.number)
        .limit(bindparam("most"))
        .subquery(f"first_{lane.lower()}")
    )
    nth = func.row_number().over(
        order_by=(first.c.precedence, first.c.available_at, first.c.number)
    )
    bounds = (
        _number(f"{name}_{lane}").label(name) for name in ("room", "start", "cost")
    )
    return select(*first.c, (nth + held).label("place"), *bounds)


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


def _with_room() -> Subquery:
    """Leave out what its lane has no room for; count places under the same key."""
    placed = union_all(*map(_first_of, Lane)).subquery("placed")
    found = placed.c
    turn = found.start + (found.place - _ONE) * found.cost
    return (
        select(
            found.tenant_id,
            found.id,
            turn.label("turn"),
            found.lane,
            found.concurrency_key,
            found.concurrency_limit,
            func.row_number()
            .over(
                partition_by=found.concurrency_key,
                order_by=(turn, found.lane),
            )
            .label("key_place"),
        )
        .where(found.tenant_id == _TENANT, found.place <= found.room)
        .subquery("roomy")
    )


def _chosen() -> Select[*tuple[Any, ...]]:
    """Choose whose turn it is, keeping each key's limit among the chosen, too."""
    roomy = _with_room().c
    return (
        select(roomy.id)
        .where(
            roomy.tenant_id == _TENANT,
            or_(
                roomy.concurrency_key == _NOTHING,
                roomy.key_place + _held_by(roomy.concurrency_key)
                <= roomy.concurrency_limit,
            ),
        )
        .order_by(roomy.turn, roomy.lane)
        .limit(bindparam("most"))
    )


class _Among(ColumnElement[bool]):
    """A column is one of those that a query selects.

    To Postgres it is an array that is made first: as a mere IN it may be joined from
    the other side, and on a table that has no statistics yet it reads all of it.
    """

    inherit_cache = False

    def __init__(
        self, column: ColumnElement[str], chosen: Select[*tuple[Any, ...]]
    ) -> None:
        self.column = column
        self.chosen = chosen.scalar_subquery()


@compiles(_Among)
def _write_in(each: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(each.column, **options)
    return f"{column} IN {compiler.process(each.chosen, **options)}"


@compiles(_Among, "postgresql")
def _write_any(each: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(each.column, **options)
    return f"{column} = ANY (ARRAY{compiler.process(each.chosen, **options)})"


def _handed_over(chosen: Select[*tuple[Any, ...]]) -> Prepared:
    """Lock what was chosen, skip what somebody else has locked, and hand it over."""
    inner = runs.alias("locked")
    locked = (
        select(inner.c.id)
        .where(inner.c.tenant_id == _TENANT, _Among(inner.c.id, chosen))
        .with_for_update(skip_locked=True)
    )
    return Prepared(
        runs.update()
        .where(OWN, literal_column("runs.status = 'queued'"), _Among(_TABLE.id, locked))
        .values(
            status=literal_column("'claimed'"),
            reason=_NOTHING,
            worker=bindparam("who"),
            attempt=_TABLE.attempt + _ONE,
            fence=_TABLE.fence + _ONE,
            heartbeat_at=bindparam("now"),
            lease_expires_at=bindparam("until"),
            started_at=null(),
            progress=_NOTHING,
            version=_TABLE.version + _ONE,
        )
        .returning(*COLUMNS)
    )


CLAIM = _handed_over(_chosen())
CLAIM_ONE = _handed_over(
    select(_TABLE.id).where(
        OWN,
        _TABLE.id == bindparam("of"),
        *_is_free(),
        _held_in(_TABLE.lane)
        < case(
            *(
                (_TABLE.lane == literal_column(f"'{lane}'"), _number(f"room_{lane}"))
                for lane in Lane
            )
        ),
    )
)
_DUE = Prepared(
    select(*COLUMNS)
    .where(
        OWN,
        literal_column("runs.status IN ('scheduled', 'retry_wait')"),
        _TABLE.available_at <= bindparam("now"),
    )
    .order_by(_TABLE.available_at)
    .limit(bindparam("many"))
)
