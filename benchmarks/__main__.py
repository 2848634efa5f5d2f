"""`python -m benchmarks [P-1 ...] [--quick] [--json]`: measure and print one table."""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.cases import CASES
from benchmarks.connection import LoadFailed
from benchmarks.cores import client_core, is_separated, server_core
from benchmarks.paired import Bench
from benchmarks.report import Line, to_json, to_text
from benchmarks.servers import NotReady

_FSYNCS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were named, or all; 1 when one could not be measured."""
    wanted = _parse(arguments)
    quick = Bench(seconds=1, rounds=3, scratch=wanted.scratch)
    bench = (
        quick if wanted.quick else Bench(seconds=3, rounds=5, scratch=wanted.scratch)
    )
    caption = _describe(bench)
    lines = [line for name in wanted.names for line in _measure(name, bench)]
    print(to_json(lines, caption) if wanted.json else to_text(lines, caption))
    return 1 if any(line.path == _FAILED for line in lines) else 0


_FAILED = "could not be measured"


def _measure(name: str, bench: Bench) -> Iterator[Line]:
    """Run one benchmark; a server that fails it is a line of the table, no more."""
    print(f"measuring {name} ...", file=sys.stderr)
    try:
        yield from CASES[name](bench)
    except (NotReady, LoadFailed) as fault:
        yield Line(id=name, path=_FAILED, note=f"{type(fault).__name__}: {fault}")


def _describe(bench: Bench) -> str:
    """Say what the numbers depend on: machine, cores, and what fsync costs here."""
    cores = f"server on core {server_core()}, client on core {client_core()}"
    if not is_separated():
        cores += " (one core for both: ratios are too kind to the floor)"
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores; {cores}; "
        f"median of {bench.rounds} interleaved samples of {bench.seconds:g} s; "
        f"fsync p50 {_fsync_ms(bench.scratch):.2f} ms in {bench.scratch}; "
        "value is the median of paired ratios"
    )


def _fsync_ms(folder: Path) -> float:
    """Append and fsync small blocks; microseconds mean that nothing is durable."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return median(_timed_fsync(file.fileno()) for _ in range(_FSYNCS)) * 1000


def _timed_fsync(descriptor: int) -> float:
    os.write(descriptor, b"x" * 512)
    began = time.perf_counter()
    os.fsync(descriptor)
    return time.perf_counter() - began


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="3 samples of 1 s")
    parser.add_argument("--json", action="store_true", help="all samples, as JSON")
    parser.add_argument(
        "--scratch",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="folder on a real disk for the servers' data, which is removed afterwards",
    )
    wanted = parser.parse_args(arguments)
    unknown = [name for name in wanted.names if name not in CASES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(CASES)}")
    wanted.names = wanted.names or list(CASES)
    return wanted


if __name__ == "__main__":
    sys.exit(main())
