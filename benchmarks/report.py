"""What a benchmark found, as lines of one table or as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

import orjson

from benchmarks.load import Sample
from benchmarks.paired import paired_ratio, rates

_OTHERS_LIMIT = 0.15
_HEADINGS = (
    "id",
    "path",
    "floor",
    "ours",
    "value",
    "aim",
    "verdict",
    "CPU each; server / client / others busy",
)


class Bound(StrEnum):
    """On which side of its limit a value has to stay."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A promise about one value: `>= 0.6 x`, `<= 10 ms`."""

    bound: Bound
    limit: float
    unit: str

    def is_met(self, value: float) -> bool:
        """Tell whether the value keeps the promise."""
        return (
            value >= self.limit if self.bound is Bound.AT_LEAST else value <= self.limit
        )

    def __str__(self) -> str:
        return f"{self.bound} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One measured value beside its aim; without an aim it is there for comparison.

    `floor` and `ours` are what was measured, with their unit, as people read it;
    `value` is what the aim is about. `note` is printed below the table. `samples` are
    all samples by contestant.
    """

    id: str
    path: str
    floor: str = ""
    ours: str = ""
    value: float | None = None
    aim: Aim | None = None
    cost: str = ""
    note: str = ""
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """`met` or `missed`, with `?` on a busy machine; nothing without an aim."""
        if self.aim is None or self.value is None:
            return ""
        word = "met" if self.aim.is_met(self.value) else "missed"
        return f"{word}?" if self.is_noisy else word

    @property
    def is_noisy(self) -> bool:
        """Whether other processes took so much that the value proves nothing."""
        taken = [each.others_busy for found in self.samples.values() for each in found]
        return bool(taken) and median(taken) > _OTHERS_LIMIT


def at_least(limit: float, unit: str = "x") -> Aim:
    """Promise a value of `limit` or more."""
    return Aim(bound=Bound.AT_LEAST, limit=limit, unit=unit)


def at_most(limit: float, unit: str = "x") -> Aim:
    """Promise a value of `limit` or less."""
    return Aim(bound=Bound.AT_MOST, limit=limit, unit=unit)


def rate_line(
    name: str, path: str, samples: Mapping[str, Sequence[Sample]], aim: Aim | None
) -> Line:
    """Compare the rates of the contestants `floor` and `ours`."""
    floor, ours = samples["floor"], samples["ours"]
    return Line(
        id=name,
        path=path,
        aim=aim,
        samples=samples,
        floor=rate_of(floor),
        ours=rate_of(ours),
        value=paired_ratio(rates(ours), rates(floor)),
        cost=cost_of(ours),
    )


def rate_of(samples: Sequence[Sample]) -> str:
    """Write a median rate."""
    return f"{median(rates(samples)):,.0f}/s"


def cost_of(samples: Sequence[Sample]) -> str:
    """Write the server's CPU per answer, and what share of a core each side used."""
    cost = median(each.server_us for each in samples)
    server = median(each.server_busy for each in samples)
    client = median(each.client_busy for each in samples)
    others = median(each.others_busy for each in samples)
    return f"{cost:.0f} us; {server:.0%} / {client:.0%} / {others:.0%}"


def to_text(lines: Sequence[Line], caption: str) -> str:
    """Write all lines as one table, and below it what does not fit."""
    rows = [_HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    notes = [f"{line.id}: {line.note}" for line in lines if line.note]
    return "\n".join([table[0], "-" * len(table[0]), *table[1:], "", *notes, caption])


def to_json(lines: Sequence[Line], caption: str) -> str:
    """Write all lines, with every sample, as one JSON object."""
    found = {
        "caption": caption,
        "lines": [
            {
                "id": line.id,
                "path": line.path,
                "floor": line.floor,
                "ours": line.ours,
                "value": line.value,
                "aim": str(line.aim) if line.aim else None,
                "verdict": line.verdict or None,
                "cost": line.cost,
                "note": line.note,
                "samples": line.samples,
            }
            for line in lines
        ],
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.id,
        line.path,
        line.floor,
        line.ours,
        _value_of(line),
        str(line.aim or ""),
        line.verdict,
        line.cost,
    )


def _value_of(line: Line) -> str:
    if line.value is None:
        return ""
    unit = line.aim.unit if line.aim else "x"
    return f"{line.value:.2f} {unit}"
