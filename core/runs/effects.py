"""The ledger of effects: what a run did once, however often it was tried."""

from collections.abc import Mapping

from sqlalchemy import bindparam, select

from core.database import Prepared, Tx
from core.kernel.jsons import Json
from core.kernel.texts import require_line
from core.runs.codec import parse_object, render
from core.runs.service import get_
from core.runs.tables import run_effects

_TABLE = run_effects.c
_FIND = Prepared(
    select(_TABLE.result).where(
        _TABLE.tenant_id == bindparam("tenant"),
        _TABLE.run_id == bindparam("of"),
        _TABLE.key == bindparam("which"),
    )
)
_KEY_LIMIT = 200


def note(
    tx: Tx, run_id: str, key: str, result: Mapping[str, Json]
) -> Mapping[str, Json] | None:
    """Note an effect with what came of it; give what was noted before, if it was.

    Raises: NotFound, InvalidArgument for a bad key.
    """
    require_line("key", key, limit=_KEY_LIMIT)
    run = get_(tx, run_id)
    rows = tx.run(_FIND, of=run_id, which=key)
    if rows:
        return parse_object(rows[0][0])
    tx.insert(
        run_effects,
        {
            "run_id": run_id,
            "key": key,
            "attempt": run.attempt,
            "result": render(result),
        },
    )
    return None
