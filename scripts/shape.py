"""Print the shape of the code beside the shape we aim for; fail past a hard cap.

`python -m scripts.shape` is `make shape`. The aims are directions, the caps are walls:
a file or function is split where a reader gains a name, never to please a number.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.measure import Function, Source, find_cycles, read_sources

PRODUCT = ("gateway", "channels", "commands", "core")
TOOLS = ("scripts", "benchmarks")
TESTS = ("tests",)

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400
MAX_COMPLEXITY = 10

MIGRATIONS = "core/database/migrations/versions/"
"""A migration is a list of steps, written once and never read as code again."""

BROAD_EXCEPT_PLACES = {
    "gateway/stored_runs.py": "one stored message must not stop the ones behind it",
    "gateway/pipeline.py": "one bad command must not end the road for the others",
    "gateway/supervisor.py": "one broken ticker must not take the gateway down",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report: what is measured, what it is, what it should be."""

    measure: str
    found: str
    aim: str


def main(root: Path, write: Callable[[str], object] = print) -> int:
    """Print the report for a checkout; return 1 when a hard cap is broken."""
    product = [
        each
        for each in read_sources(root, PRODUCT)
        if not each.path.startswith(MIGRATIONS)
    ]
    tools = read_sources(root, TOOLS)
    tests = read_sources(root, TESTS)
    for line in report(product, tests):
        write(f"{line.measure:<34} {line.found:>16}   aim {line.aim}")
    broken = list(broken_caps([*product, *tools]))
    for each in broken:
        write(f"over the cap: {each}")
    return 1 if broken else 0


def report(product: Sequence[Source], tests: Sequence[Source]) -> Iterator[Line]:
    """Measure the product's code against the aims."""
    functions = [each for source in product for each in source.functions]
    p90 = percentile([each.complexity for each in functions], 90)
    over = share_over(functions, MAX_COMPLEXITY)
    yield _sizes("function lines", [each.lines for each in functions], "<= 8 / 27 / 60")
    yield _sizes("file lines", [each.lines for each in product], "60-110 / 250 / 400")
    yield _line("complexity p90, share over 10", f"{p90}, {over:.1%}", "4, 0.0%")
    yield _line("import cycles", f"{len(find_cycles(product))}", "0")
    yield _line(
        "arguments and returns typed", f"{typed_share(functions):.1%}", "100.0%"
    )
    yield from _densities(product, tests)


def broken_caps(sources: Sequence[Source]) -> Iterator[str]:
    """Name every place that is past a hard cap."""
    for source in sources:
        if source.lines > MAX_FILE_LINES:
            yield f"{source.path} has {source.lines} lines"
        if source.path not in BROAD_EXCEPT_PLACES:
            for line in source.broad_excepts:
                yield f"{source.path}:{line} catches everything"
        for function in source.functions:
            yield from _broken_by(function)
    for group in find_cycles(sources):
        yield f"an import cycle between {', '.join(group)}"


def percentile(numbers: Sequence[int], percent: int) -> int:
    """Give the smallest number that `percent` of them do not exceed; 0 for none."""
    ordered = sorted(numbers)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1] if ordered else 0


def share_over(functions: Sequence[Function], complexity: int) -> float:
    """Give the share of functions that are more complex than this."""
    over = sum(each.complexity > complexity for each in functions)
    return over / max(len(functions), 1)


def typed_share(functions: Sequence[Function]) -> float:
    """Give the share of arguments and return values that carry a type."""
    slots = sum(each.slots for each in functions)
    return sum(each.typed for each in functions) / max(slots, 1)


def _broken_by(function: Function) -> Iterator[str]:
    if function.lines > MAX_FUNCTION_LINES:
        yield f"{function.place} has {function.lines} lines"
    if function.complexity > MAX_COMPLEXITY:
        yield f"{function.place} has complexity {function.complexity}"


def _densities(product: Sequence[Source], tests: Sequence[Source]) -> Iterator[Line]:
    total = max(sum(each.lines for each in product), 1)
    anys = 1000 * sum(each.any_count for each in product) / total
    broad = 1000 * sum(len(each.broad_excepts) for each in product) / total
    tested = sum(each.lines for each in tests) / total
    yield _line("Any per 1,000 lines", f"{anys:.1f}", "<= 4")
    yield _line("broad except per 1,000 lines", f"{broad:.1f}", "<= 0.3")
    yield _line("test lines per source line", f"{tested:.2f}", "1.1-1.6")


def _sizes(measure: str, numbers: Sequence[int], aim: str) -> Line:
    found = " / ".join(str(percentile(numbers, percent)) for percent in (50, 90, 100))
    return _line(f"{measure}, median / p90 / max", found, aim)


def _line(measure: str, found: str, aim: str) -> Line:
    return Line(measure=measure, found=found, aim=aim)


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
