"""P-9: from exec to ready on a warm data folder, and the memory of an idle gateway.

All channels are on, and memory is read once they are loaded and connected.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from benchmarks.paired import Bench
from benchmarks.report import Line, at_most
from benchmarks.servers import opswire
from benchmarks.simulators import simulators

_SETTLE_SECONDS = 12.0


def measure_start(bench: Bench) -> Iterator[Line]:
    """P-9: the first start makes the database; those after it are measured."""
    with bench.folder() as folder, simulators() as settings:
        _start(folder, settings)
        starts = [_start(folder, settings) for _ in range(bench.rounds)]
    seconds = median(ready_after for ready_after, _ in starts)
    resident = median(mib for _, mib in starts)
    yield Line(
        id="P-9",
        path="start to ready, warm",
        ours=f"{seconds:.2f} s",
        value=seconds,
        aim=at_most(1.5, "s"),
    )
    yield Line(
        id="P-9",
        path="resident when idle, Slack and mail connected",
        ours=f"{resident:.0f} MiB",
        value=resident,
        aim=at_most(130, "MiB"),
    )


def _start(data: Path, settings: Mapping[str, str]) -> tuple[float, float]:
    """Return seconds until ready and MiB resident twelve seconds later."""
    with opswire(data, settings) as gateway:
        time.sleep(_SETTLE_SECONDS)
        return gateway.ready_after, gateway.resident_mib()
