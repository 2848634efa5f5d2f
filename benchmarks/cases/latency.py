"""P-4: how long one lone client waits for a durable command."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.load import Sample
from benchmarks.paired import Bench, paired_ratio
from benchmarks.report import Line, at_most, cost_of
from benchmarks.servers import floor, opswire


def measure_latency(bench: Bench) -> Iterator[Line]:
    """P-4: one client: its median against the floor's, and its 99th percentile."""
    with bench.stage() as (servers, folder):
        echo = servers.enter_context(floor("fastapi_echo", folder / "floor"))
        gateway = servers.enter_context(opswire(folder / "ours"))
        samples = bench.take_turns(
            floor=bench.writes(echo, "/echo", clients=1),
            ours=bench.writes(gateway, clients=1),
        )
    echoes, commands = samples["floor"], samples["ours"]
    yield Line(
        id="P-4",
        path="task create over REST, 1 client, p50",
        samples=samples,
        floor=_milliseconds(_p50(echoes)),
        ours=_milliseconds(_p50(commands)),
        value=paired_ratio(_p50(commands), _p50(echoes)),
        aim=at_most(2.5),
        cost=cost_of(commands),
    )
    yield Line(
        id="P-4",
        path="the same, p99",
        floor=_milliseconds(_p99(echoes)),
        ours=_milliseconds(_p99(commands)),
        value=median(_p99(commands)),
        aim=at_most(10, "ms"),
    )


def _p50(samples: Sequence[Sample]) -> list[float]:
    return [each.p50_ms for each in samples]


def _p99(samples: Sequence[Sample]) -> list[float]:
    return [each.p99_ms for each in samples]


def _milliseconds(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ms"
