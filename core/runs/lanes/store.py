"""Queries over the settings of lanes."""

from collections.abc import Sequence

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Tx
from core.kernel.lanes import Lane
from core.runs.lanes.model import LaneRule
from core.runs.lanes.tables import lanes

_TABLE = lanes.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = Prepared(
    lanes.select()
    .with_only_columns(
        _TABLE.lane, _TABLE.weight, _TABLE.concurrency, _TABLE.is_draining
    )
    .where(_OWN)
)
_SET = Prepared(
    lanes.update()
    .where(_OWN, _TABLE.lane == bindparam("of"))
    .values(
        weight=bindparam("new_weight"),
        concurrency=bindparam("most"),
        is_draining=bindparam("drains"),
        version=_TABLE.version + literal_column("1"),
    )
)


def list_set(tx: Tx) -> Sequence[LaneRule]:
    """List the rules of the lanes for which anything was set."""
    return [
        LaneRule(
            lane=Lane(lane),
            weight=weight,
            concurrency=concurrency,
            is_draining=bool(is_draining),
        )
        for lane, weight, concurrency, is_draining in tx.run(_ALL)
    ]


def put(tx: Tx, rule: LaneRule) -> None:
    """Store the rule of a lane."""
    changed = tx.change(
        _SET,
        of=rule.lane.value,
        new_weight=rule.weight,
        most=rule.concurrency,
        drains=rule.is_draining,
    )
    if not changed:
        tx.insert(
            lanes,
            {
                "lane": rule.lane.value,
                "weight": rule.weight,
                "concurrency": rule.concurrency,
                "is_draining": rule.is_draining,
            },
        )
