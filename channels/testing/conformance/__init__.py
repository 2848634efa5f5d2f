"""What every channel has to show: a scale of quality, and checks to reach it with."""

from channels.testing.conformance.lines import THIRTY
from channels.testing.conformance.proofs import Proofs, check_quality
from channels.testing.conformance.reading import check_lines, check_wire
from channels.testing.conformance.replies import REPLIES
from channels.testing.conformance.scale import (
    SCALE,
    Criterion,
    Grade,
    Level,
    Quality,
    grade,
    read_quality,
)
from channels.testing.conformance.showing import Shown, check_renderer

__all__ = [
    "REPLIES",
    "SCALE",
    "THIRTY",
    "Criterion",
    "Grade",
    "Level",
    "Proofs",
    "Quality",
    "Shown",
    "check_lines",
    "check_quality",
    "check_renderer",
    "check_wire",
    "grade",
    "read_quality",
]
