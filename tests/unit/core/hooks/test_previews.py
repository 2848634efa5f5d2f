"""What one rule makes of a payload, told step by step."""

from typing import Any

import pytest

from core.hooks.model import PayloadMap
from core.hooks.previews import Verdict, preview

ALERTS: Any = {"status": "firing", "alerts": [{"name": "disk"}, {"name": "cpu"}]}


def a_rule(**parts: Any) -> PayloadMap:
    return PayloadMap(command="task create", **parts)


def test_rule_without_filter_takes_everything_once() -> None:
    found = preview(a_rule(arguments={"title": "status"}), ALERTS)

    assert (found.filter, found.each_count) == (Verdict.NONE, None)
    assert [each.args for each in found.calls] == [{"title": "firing"}]


def test_elements_are_counted_and_looked_at_one_by_one() -> None:
    rule = a_rule(filter="status", each="alerts", arguments={"title": "name"})

    found = preview(rule, ALERTS)

    assert (found.filter, found.each_count) == (Verdict.MATCHED, 2)
    assert [each.args["title"] for each in found.calls] == ["disk", "cpu"]


def test_filter_that_does_not_match_ends_it() -> None:
    rule = a_rule(filter="status == 'resolved'", each="alerts")

    found = preview(rule, ALERTS)

    assert (found.filter, found.each_count) == (Verdict.UNMATCHED, None)
    assert found.skipped
    assert not found.calls


def test_list_with_nothing_in_it_is_told_from_a_filter() -> None:
    found = preview(a_rule(filter="status", each="others"), ALERTS)

    assert (found.filter, found.each_count) == (Verdict.MATCHED, 0)
    assert found.skipped == "each found nothing"


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({"filter": "length(missing)"}, Verdict.BROKEN),
        ({"filter": "a["}, Verdict.BROKEN),
        ({"each": "status"}, Verdict.NONE),
        ({"arguments": {"title": "length(missing)"}}, Verdict.NONE),
        ({"filter": "status", "templates": {"title": "{"}}, Verdict.MATCHED),
        ({"arguments": {"title": "a"}, "fixed": {"title": "b"}}, Verdict.NONE),
    ],
)
def test_expression_that_cannot_be_used_is_named(
    parts: dict[str, Any], verdict: Verdict
) -> None:
    found = preview(a_rule(**parts), ALERTS)

    assert found.problem
    assert found.filter is verdict
    assert not found.calls
