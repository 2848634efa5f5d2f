"""P-6, its other half: a line must not take longer to read among 1,000 commands."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median

from benchmarks.cores import client_core, pinned
from benchmarks.paired import CREATE, Bench, paired_ratio
from benchmarks.report import Line, at_least
from commands.context import Context
from commands.parser import parse
from commands.registry import Command, Registry, command
from core.kernel.lanes import Lane
from core.kernel.reply import Reply

COMMANDS = 1_000

_FEW = 10
_BURST = 50
_NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


@command("task create", scope="tasks:write", danger="write")
def create(
    ctx: Context, title: str, *, lane: Lane = Lane.C, dod: Sequence[str] = ()
) -> Reply:
    """Put a new task in the queued column."""
    return Reply(summary=f"{ctx.command.name} {title} {lane} {dod}")


def measure_names(bench: Bench) -> Iterator[Line]:
    """P-6: read the line of P-1 among 1,000 commands and among ten."""
    few, many = registry_of(_FEW), registry_of(COMMANDS)
    fast: list[float] = []
    slow: list[float] = []
    with pinned(client_core()):
        for _ in range(bench.rounds):
            fast.append(_lines_per_second(few, bench.seconds))
            slow.append(_lines_per_second(many, bench.seconds))
    yield Line(
        id="P-6",
        path=f"read a line among {COMMANDS:,} commands against {_FEW}",
        floor=f"{1e6 / median(fast):.1f} us",
        ours=f"{1e6 / median(slow):.1f} us",
        value=paired_ratio(slow, fast),
        aim=at_least(0.9),
    )


def registry_of(count: int) -> Registry:
    """Register `task create` among others of its shape, each of a noun of its own."""
    others = [_named(f"noun{number} create") for number in range(count - 1)]
    return Registry.of([*others, create])


def _named(name: str) -> Command:
    return replace(create, name=name)


def _lines_per_second(registry: Registry, seconds: float) -> float:
    parse(CREATE, registry, now=_NOW, timezone="UTC", me="ann")
    began = time.perf_counter()
    bursts = 0
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(_BURST):
            parse(CREATE, registry, now=_NOW, timezone="UTC", me="ann")
        bursts += 1
    return bursts * _BURST / spent
