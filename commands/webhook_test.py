"""The command that shows what a payload would do at a webhook, and does nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.webhook_deliveries import (
    INSPECT_SCOPE,
    DeliveryRef,
    Sample,
    WebhookRef,
)
from commands.webhook_maps import require_possible, try_call
from commands.webhook_rules import (
    Arguments,
    Each,
    Filter,
    Fixed,
    Rules,
    Templates,
    parse_rule,
)
from core.hooks import deliveries, mapping
from core.hooks import service as hooks
from core.hooks.mapping import Call
from core.hooks.model import Endpoint, PayloadMap
from core.hooks.presets import PRESETS
from core.hooks.previews import Preview, preview
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, MissingScope, Problem
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
class _Tried:
    """A rule, what is wrong with it, and the commands that it would run."""

    found: Preview
    problem: str
    calls: Sequence[dict[str, Json]]


@command(
    "webhook test",
    scope="webhooks:read",
    http="POST /v1/webhooks/{webhook}/test",
    target="webhook",
    result=WebhookTestData,
    examples=[
        'webhook test W-3 --payload {"alert":{"name":"disk"}}',
        "webhook test W-3 --delivery rq_01JC8ZB7Q2M4T6V8X0Y2A4C6E8 --filter alert",
    ],
)
def try_out(
    ctx: Context,
    webhook: WebhookRef,
    *,
    payload: Annotated[Any, Doc("What a sender would deliver.")] = None,
    sample: Sample = None,
    delivery: DeliveryRef = "",
    rules: Rules = (),
    command: Annotated[str, Doc("Another command for its one rule.")] = "",
    arguments: Arguments = None,
    fixed: Fixed = None,
    templates: Templates = None,
    filter: Filter = "",
    each: Each = "",
) -> Reply:
    """Show what a payload would run, without running it, by these rules or others."""
    endpoint = hooks.get_(ctx.tx, webhook)
    said = payload if sample is None else PRESETS[sample].sample
    _require_one_payload(ctx, endpoint)
    if delivery:
        said = _payload_of(ctx, endpoint, delivery)
    parts = {
        "command": command.replace(".", " "),
        "arguments": arguments or {},
        "fixed": fixed or {},
        "templates": templates or {},
        "filter": filter,
        "each": each,
    }
    given = {name: parts[name] for name in parts if name in ctx.given}
    tried = _rules(endpoint, rules, given)
    is_saved = not (given or rules)
    found = [preview(rule, said) for rule in tried]
    return _reply(
        endpoint,
        [
            _Tried(
                each,
                _problem(ctx, each, is_saved=is_saved),
                [_call(ctx, endpoint, call) for call in each.calls],
            )
            for each in found
        ],
    )


COMMANDS: Sequence[Command] = (try_out,)


def _require_one_payload(ctx: Context, endpoint: Endpoint) -> None:
    """Refuse to guess between several payloads, or to go without one.

    Raises: InvalidArgument.
    """
    if len(ctx.given & {"payload", "sample", "delivery"}) != 1:
        raise InvalidArgument(
            "name one payload, one sample or one delivery",
            fix=[
                f"webhook test {endpoint.id} --payload {{}}",
                f"webhook test {endpoint.id} --sample alertmanager",
                f"webhook test {endpoint.id} --delivery rq_…",
            ],
        )


def _payload_of(ctx: Context, endpoint: Endpoint, delivery: str) -> Json:
    """Read what a delivery said.

    Raises: NotFound; MissingScope, for the right expression shows everything in it.
    """
    if not ctx.principal.may(INSPECT_SCOPE):
        raise MissingScope(INSPECT_SCOPE, who=ctx.principal.name)
    return deliveries.payload_of(deliveries.find_stored(ctx.tx, endpoint, delivery))


def _rules(
    endpoint: Endpoint,
    rules: Sequence[Mapping[str, Any]],
    given: Mapping[str, Any],
) -> Sequence[PayloadMap]:
    """Choose the rules to try: others, the webhook's one in part, or all of its own.

    Raises: InvalidArgument.
    """
    if rules:
        if given:
            raise InvalidArgument(
                f"--rules says everything, so --{next(iter(given))} has no place",
                fix=["put it into --rules"],
            )
        return [parse_rule(place, raw) for place, raw in enumerate(rules, 1)]
    if not given:
        return endpoint.rules
    if len(endpoint.rules) == 1:
        return [replace(endpoint.rules[0], **given)]
    if "command" not in given:
        raise InvalidArgument(
            f"{endpoint.id} has {len(endpoint.rules)} rules, so a part of one is not "
            "enough",
            fix=["add --command", "use --rules"],
            argument="command",
        )
    return [PayloadMap(**given)]


def _problem(ctx: Context, found: Preview, *, is_saved: bool) -> str:
    """Say what is wrong with a rule; one that is not saved must be possible as well."""
    if found.problem or is_saved:
        return found.problem
    try:
        require_possible(ctx, found.rule)
    except Problem as refused:
        return refused.detail
    return ""


def _call(ctx: Context, endpoint: Endpoint, call: Call) -> dict[str, Json]:
    """Understand one call as its delivery would, and say how that ended."""
    asked = ctx.registry.find(call.rule.command)
    needed = (
        [each.name for each in asked.parameters if each.is_required] if asked else []
    )
    try:
        mapping.require_found(call, needed, webhook=endpoint.id)
    except InvalidArgument as lack:
        return {
            "command": call.rule.command,
            "args": call.args,
            "line": "",
            "problem": lack.detail,
        }
    return try_call(ctx, call.rule.command, call.args)


def _reply(endpoint: Endpoint, tried: Sequence[_Tried]) -> Reply:
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
    if bad:
        return f"{len(bad)} of {blocks.count(len(calls), 'command')} fail: {bad[0]}"
    return f"Would run {blocks.count(len(calls), 'command')}"


def _view_of(each: _Tried) -> dict[str, Json]:
    return {
        "command": each.found.rule.command,
        "filter": each.found.filter.value,
        "each_count": each.found.each_count,
        "skipped": each.found.skipped,
        "problem": each.problem,
        "calls": list(each.calls),
    }


def _lines(each: _Tried) -> Iterator[str]:
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
