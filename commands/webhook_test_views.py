"""The shape of what a payload would do at a webhook, and how it is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict

from commands import blocks
from core.hooks.model import Endpoint
from core.hooks.previews import Preview
from core.kernel.jsons import Json
from core.kernel.reply import Code, Reply

_SHOWS_ONLY = "this webhook only shows what it receives"


class WebhookCallData(TypedDict):
    """A command that a payload would run; `problem` says why it could not."""

    command: str
    args: dict[str, Any]
    line: str
    problem: str


class RulePreviewData(TypedDict):
    """How far one rule gets; `each_count` is null when it does not look at a list.

    `filter` is `none`, `matched`, `did not match` or `cannot be applied`.
    """

    command: str
    filter: str
    each_count: int | None
    skipped: str
    problem: str
    calls: list[WebhookCallData]


class WebhookTestData(TypedDict):
    """What a payload would do: the calls of all rules, and each rule by itself."""

    id: str
    skipped: str
    calls: list[WebhookCallData]
    rules: list[RulePreviewData]


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule, what is wrong with it, and the commands that it would run."""

    found: Preview
    problem: str
    calls: Sequence[dict[str, Json]]


def reply_of(endpoint: Endpoint, tried: Sequence[Tried]) -> Reply:
    """Tell what a payload would do at an endpoint, rule by rule."""
    calls = [call for each in tried for call in each.calls]
    reasons = [each.found.skipped for each in tried if each.found.skipped]
    problem = next((each.problem for each in tried if each.problem), "")
    skipped = "" if calls or problem else (reasons or [_SHOWS_ONLY])[-1]
    written = "\n\n".join("\n".join(_lines(each)) for each in tried)
    return Reply(
        summary=_summary(calls, problem, skipped)[:150],
        blocks=(Code(text=written),) if written else (),
        data={
            "id": endpoint.id,
            "skipped": skipped,
            "calls": list(calls),
            "rules": [_view_of(each) for each in tried],
        },
    )


def _summary(calls: Sequence[Mapping[str, Json]], problem: str, skipped: str) -> str:
    if problem:
        return f"Would fail: {problem}"
    if skipped:
        return f"Would be skipped: {skipped}"
    bad = [str(each["problem"]) for each in calls if each["problem"]]
    if not bad:
        return f"Would run {blocks.count(len(calls), 'command')}"
    if len(calls) == 1:
        return f"Would fail: {bad[0]}"
    return f"{len(bad)} of {len(calls)} commands would fail: {bad[0]}"


def _view_of(each: Tried) -> dict[str, Json]:
    return {
        "command": each.found.rule.command,
        "filter": each.found.filter.value,
        "each_count": each.found.each_count,
        "skipped": each.found.skipped,
        "problem": each.problem,
        "calls": list(each.calls),
    }


def _lines(each: Tried) -> Iterator[str]:
    """Write for people how far a rule got."""
    found = each.found
    yield found.rule.command
    if found.rule.filter:
        yield f"  filter {found.rule.filter}: {found.filter.value}"
    if found.rule.each and found.each_count is not None:
        yield f"  each {found.rule.each}: {blocks.count(found.each_count, 'element')}"
    if each.problem:
        yield f"  problem: {each.problem}"
    elif found.skipped:
        yield f"  skipped: {found.skipped}"
    for call in each.calls:
        yield (
            f"  runs: {call['line']}" if call["line"] else f"  fails: {call['problem']}"
        )
