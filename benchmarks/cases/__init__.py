"""The benchmarks by name, in the order they run."""

from collections.abc import Callable, Iterator, Mapping

from benchmarks.cases.floors import measure_floors
from benchmarks.cases.latency import measure_latency
from benchmarks.cases.mail import measure_mail
from benchmarks.cases.runs import measure_runs
from benchmarks.cases.size import measure_size
from benchmarks.cases.slack import measure_slack
from benchmarks.cases.start import measure_start
from benchmarks.cases.throughput import measure_frames, measure_reads, measure_writes
from benchmarks.paired import Bench
from benchmarks.report import Line

CASES: Mapping[str, Callable[[Bench], Iterator[Line]]] = {
    "floors": measure_floors,
    "P-1": measure_writes,
    "P-2": measure_reads,
    "P-3": measure_frames,
    "P-4": measure_latency,
    "P-5": measure_slack,
    "P-6": measure_size,
    "P-7": measure_runs,
    "P-9": measure_start,
    "P-10": measure_mail,
}
