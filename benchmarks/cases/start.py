"""P-9: from exec to ready on a warm data folder, and the memory of an idle gateway."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.paired import Bench
from benchmarks.report import Line, at_most
from benchmarks.servers import opswire

_SETTLE_SECONDS = 1.0


def measure_start(bench: Bench) -> Iterator[Line]:
    """P-9: the first start makes the database; those after it are measured."""
    with bench.folder() as folder:
        _start(folder)
        starts = [_start(folder) for _ in range(bench.rounds)]
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
        path="resident when idle",
        ours=f"{resident:.0f} MiB",
        value=resident,
        aim=at_most(130, "MiB"),
    )


def _start(data: Path) -> tuple[float, float]:
    """Return seconds until ready and MiB resident a second later."""
    with opswire(data) as gateway:
        time.sleep(_SETTLE_SECONDS)
        return gateway.ready_after, gateway.resident_mib()
