"""The live figures of a tenant: what is open, what waits, how well commands go."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from core.collab import tasks
from core.collab.agents import service as agents
from core.collab.agents.model import AgentStatus
from core.database import Database, Tx
from core.kernel.jsons import Json, to_json
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId
from core.runs.lanes import figures as queue
from core.runs.workers import service as workers
from core.runs.workers.model import WorkerState
from gateway.metrics import Metrics
from gateway.worker_agents import ROLE

FRESH_SECONDS = 1.0
SEEN_WITHIN = timedelta(minutes=15)

_AT_WORK = (AgentStatus.AVAILABLE, AgentStatus.BUSY)


class Board(NamedTuple):
    """What a tenant's board shows at a version of its tasks."""

    version: int
    task_count: int
    queued: Mapping[str, int]


class LiveFigures:
    """Works the figures out once for all who look at the same time.

    Shape:  task_count (open tasks), queue (queued tasks by lane), active_workers
            (workers that are online, and other agents that are switched on, available
            or busy, and were heard of within 15 minutes), runs (queued and held by
            lane, oldest_seconds, stuck); of this process, over the last minute:
            avg_latency_ms, success_rate (0 to 1), commands and commands_per_channel.
    """

    def __init__(self, db: Database, metrics: Metrics) -> None:
        self._db = db
        self._metrics = metrics
        self._boards: dict[TenantId, Board] = {}
        self._known: dict[TenantId, tuple[float, bytes]] = {}

    async def of(self, principal: Principal) -> bytes:
        """Return the figures of the principal's tenant as JSON, at most 1 s old.

        Raises: Unavailable.
        """
        at, known = self._known.get(principal.tenant, (0.0, b""))
        if known and time.monotonic() - at < FRESH_SECONDS:
            return known
        board, workers, runs = await self._db.read(self._look, by=principal)
        figures = {
            "task_count": board.task_count,
            "queue": board.queued,
            "active_workers": workers,
            "runs": runs,
            **self._metrics.figures(),
        }
        body = to_json(figures)
        self._known[principal.tenant] = (time.monotonic(), body)
        return body

    def _look(self, tx: Tx) -> tuple[Board, int, dict[str, Json]]:
        """Count again only what changed: tasks may be many, and tiles look often."""
        board = self._boards.get(tx.tenant)
        if board is None or board.version != tx.version("tasks"):
            board = self._boards[tx.tenant] = _board(tx)
        runs = queue.view(queue.read(tx), now=tx.now)
        return board, _active_workers(tx), runs


def _board(tx: Tx) -> Board:
    by_status = tasks.count_by_status(tx)
    is_open = set(by_status) - tasks.TERMINAL
    queued = tasks.count_queued_by_lane(tx)
    return Board(
        version=tx.version("tasks"),
        task_count=sum(by_status[status] for status in is_open),
        queued={lane.value: queued.get(lane, 0) for lane in Lane},
    )


def _active_workers(tx: Tx) -> int:
    """Count workers by their own state; their agents say no more than that."""
    others = sum(
        agent.role != ROLE
        and agent.status in _AT_WORK
        and tx.now - agent.last_seen <= SEEN_WITHIN
        for agent in agents.list_(tx, is_available=True)
    )
    present = workers.list_present(tx)
    return others + sum(each.state is WorkerState.ONLINE for each in present)
