"""Ratios are paired, and a verdict says what its aim means."""

import pytest

from benchmarks.load import Sample, quantile
from benchmarks.paired import paired_ratio
from benchmarks.report import Line, at_least, at_most


def test_ratio_is_the_median_of_neighbours() -> None:
    ours, floor = [60.0, 30.0, 66.0], [100.0, 50.0, 100.0]

    assert paired_ratio(ours, floor) == pytest.approx(0.6)


def test_quantile_is_a_value_that_was_seen() -> None:
    ordered = [float(number) for number in range(1, 101)]

    assert quantile(ordered, 0.50) == 51
    assert quantile(ordered, 0.99) == 100
    assert quantile([7.0], 0.99) == 7


@pytest.mark.parametrize(("value", "verdict"), [(0.6, "met"), (0.59, "missed")])
def test_floor_of_an_aim_is_met_from_its_limit_on(value: float, verdict: str) -> None:
    assert Line(id="P-1", path="", value=value, aim=at_least(0.6)).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(10.0, "met"), (10.1, "missed")])
def test_ceiling_of_an_aim_is_met_up_to_its_limit(value: float, verdict: str) -> None:
    assert (
        Line(id="P-4", path="", value=value, aim=at_most(10, "ms")).verdict == verdict
    )


def test_line_without_an_aim_has_no_verdict() -> None:
    assert Line(id="floors", path="", value=1.0).verdict == ""


@pytest.mark.parametrize(("others", "verdict"), [(0.02, "met"), (1.1, "met?")])
def test_verdict_of_a_busy_machine_is_doubted(others: float, verdict: str) -> None:
    found = Sample(
        rate=1.0,
        p50_ms=1.0,
        p99_ms=1.0,
        server_us=1.0,
        server_busy=1.0,
        client_busy=0.2,
        others_busy=others,
        acknowledged=1,
    )
    line = Line(
        id="P-1", path="", value=1.6, aim=at_least(0.6), samples={"ours": [found]}
    )

    assert line.verdict == verdict
