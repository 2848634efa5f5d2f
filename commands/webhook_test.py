"""The command that shows what a payload would do at a webhook, and does nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.webhook_deliveries import (
    INSPECT_SCOPE,
    DeliveryRef,
    Sample,
    WebhookRef,
)
from commands.webhook_maps import require_possible, try_found
from commands.webhook_rules import (
    Arguments,
    Each,
    Filter,
    Fixed,
    Rules,
    Templates,
    parse_rule,
)
from commands.webhook_test_views import Tried, WebhookTestData, reply_of
from core.expressions import Budget
from core.hooks import deliveries
from core.hooks import service as hooks
from core.hooks.mapping import Call
from core.hooks.model import Endpoint, PayloadMap
from core.hooks.presets import PRESETS
from core.hooks.previews import Preview, preview
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, MissingScope, Problem
from core.kernel.reply import Reply


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
    is_saved = not (given or rules)
    if not is_saved:
        _require_scope(ctx)
    tried = _rules(endpoint, rules, given)
    budget = Budget()
    found = [preview(rule, said, budget=budget) for rule in tried]
    return reply_of(
        endpoint,
        [
            Tried(
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
    _require_scope(ctx)
    return deliveries.payload_of(deliveries.find_stored(ctx.tx, endpoint, delivery))


def _require_scope(ctx: Context) -> None:
    """Leave what only its makers may read, and rules of one's own, to them.

    Raises: MissingScope.
    """
    if not ctx.principal.may(INSPECT_SCOPE):
        raise MissingScope(INSPECT_SCOPE, who=ctx.principal.name)


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
    return try_found(ctx, call, webhook=endpoint.id)
