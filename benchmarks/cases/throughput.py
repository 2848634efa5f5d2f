"""P-1 to P-3: commands per second with 64 clients, everything on."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.connection import LoadFailed
from benchmarks.load import Sample
from benchmarks.paired import Bench
from benchmarks.report import Line, at_least, rate_line
from benchmarks.servers import Server, floor, opswire

_PEER = (
    "peer (not run here): opsdroid with 50 commands, volatile, answered 3,700/s on the "
    "reference machine"
)
_READS = ("whoami", "task list --limit 20")


def measure_writes(bench: Bench) -> Iterator[Line]:
    """P-1: a durable, audited `task create` against an echo that keeps nothing."""
    with bench.stage() as (servers, folder):
        echo = servers.enter_context(floor("fastapi_echo", folder / "floor"))
        gateway = servers.enter_context(opswire(folder / "ours"))
        samples = bench.take_turns(
            floor=bench.writes(echo, "/echo"), ours=bench.writes(gateway)
        )
        require_effects(gateway, samples["ours"])
    yield rate_line("P-1", "task create over REST, 64 clients", samples, at_least(0.6))
    yield Line(id="P-1", path="peer: opsdroid, 50 commands", ours="not run", note=_PEER)


def measure_reads(bench: Bench) -> Iterator[Line]:
    """P-2: reads, with some thousand tasks in the database."""
    with bench.stage() as (servers, folder):
        echo = servers.enter_context(floor("fastapi_echo", folder / "floor"))
        gateway = servers.enter_context(opswire(folder / "ours"))
        bench.writes(gateway)()
        for line in _READS:
            samples = bench.take_turns(
                floor=bench.reads(echo, line, "/echo"), ours=bench.reads(gateway, line)
            )
            yield rate_line(
                "P-2", f"{line} over REST, 64 clients", samples, at_least(0.55)
            )


def measure_frames(bench: Bench) -> Iterator[Line]:
    """P-3: the command of P-1 over WebSocket, against P-1 on the same server."""
    with bench.stage() as (servers, folder):
        gateway = servers.enter_context(opswire(folder / "ours"))
        samples = bench.take_turns(
            floor=bench.writes(gateway), ours=bench.frames(gateway)
        )
        require_effects(gateway, [*samples["floor"], *samples["ours"]])
    yield rate_line(
        "P-3", "task create over WebSocket against P-1", samples, at_least(1.5)
    )


def require_effects(server: Server, samples: Sequence[Sample]) -> None:
    """Check that every acknowledged command is one task, one event and one inbox row.

    Raises: LoadFailed when a table has less or more, for then the rate means nothing.
    """
    acknowledged = sum(each.acknowledged for each in samples)
    for what, rows in _stored(server).items():
        if rows != acknowledged:
            raise LoadFailed(
                f"{acknowledged} commands were acknowledged, but {rows} {what}"
            )


def _stored(server: Server) -> Mapping[str, int]:
    database = sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)
    try:
        return {
            what: database.execute(f"SELECT count(*) FROM {source}").fetchone()[0]  # noqa: S608
            for what, source in (
                ("tasks", "tasks"),
                ("events", "events WHERE type = 'task_created'"),
                ("stored replies", "inbox"),
            )
        }
    finally:
        database.close()
