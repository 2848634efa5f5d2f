"""The shapes of what trigger commands answer, and how they are filled in."""

from dataclasses import asdict
from typing import Any

from typing_extensions import TypedDict

from commands import blocks, bus
from commands.context import Context
from commands.webhook_views import WebhookRuleData, written
from core.approvals.requests import service as requests
from core.approvals.requests.model import RequestStatus
from core.database import Tx
from core.delivery import received
from core.delivery.received import Received
from core.hooks import deliveries
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import Fire, Trigger
from core.identity.users import store as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import NotFound, Problem
from core.kernel.reply import SUMMARY_LIMIT, Code, Reply, ReplyStatus

_OPEN = frozenset({RequestStatus.WAITING, RequestStatus.APPROVED})


class TriggerData(TypedDict):
    """A trigger; `obstacle` says why it could not fire now, "" when it could.

    `fault` says why its filter could not be applied to the newest thing it looked at.
    """

    id: str
    name: str
    state: str
    reason: str
    on: list[str]
    targets: list[str]
    webhook: str
    rule: WebhookRuleData
    runs_as: str
    created_by: str
    created_at: str
    obstacle: str
    fault: str


class TriggerPageData(TypedDict):
    """A page of triggers, the oldest first."""

    items: list[TriggerData]
    next: str | None


class TriggerCallData(TypedDict):
    """A command that would run; `problem` says why it could not."""

    command: str
    args: dict[str, Any]
    line: str
    problem: str


class TriggerTestData(TypedDict):
    """What something would set off; `why` says why nothing, "" when it matches."""

    id: str
    seq: int | None
    delivery: str
    matches: bool
    why: str
    obstacle: str
    calls: list[TriggerCallData]


class FireData(TypedDict):
    """A fire: what set it off, and what became of it.

    `outcome` is waiting, waiting for approval, done, skipped, failed, cut or forgotten;
    `chain` the triggers that led to it. `took_ms` is null until it is over.
    """

    id: str
    reply_id: str
    url: str
    at: str
    seq: int
    event: str
    target: str
    delivery: str
    chain: list[str]
    outcome: str
    cut: str
    took_ms: int | None
    command: str
    summary: str
    code: str


class FirePageData(TypedDict):
    """A page of fires, the newest first."""

    items: list[FireData]
    next: str | None


def view_of(ctx: Context, trigger: Trigger) -> dict[str, Any]:
    """Show a trigger."""
    return {
        "id": trigger.id,
        "name": trigger.name,
        "state": trigger.state.value,
        "reason": trigger.reason,
        "on": sorted(trigger.when.events),
        "targets": sorted(trigger.when.targets),
        "webhook": trigger.when.webhook,
        "rule": asdict(trigger.rule),
        "runs_as": _name_of(ctx.tx, trigger.owner_id),
        "created_by": _name_of(ctx.tx, trigger.created_by),
        "created_at": to_iso(trigger.created_at),
        "obstacle": obstacle_of(ctx, trigger),
        "fault": fault_of(ctx.tx, trigger),
    }


def one_of(ctx: Context, trigger: Trigger, summary: str) -> Reply:
    """Show one trigger, with what can be done about it."""
    data = view_of(ctx, trigger)
    switch = "disable" if trigger.is_enabled else "enable"
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        blocks=(
            blocks.fields(
                ("when", written_when(trigger)),
                ("runs as", data["runs_as"]),
                ("state", trigger.state),
                ("cannot fire", data["obstacle"]),
                ("last look", data["fault"]),
            ),
            Code(text=written(trigger.rule), lang="text"),
            blocks.actions(
                ("Test", f"trigger test {trigger.id}"),
                ("Fires", f"trigger fires {trigger.id}"),
                (switch.capitalize(), f"trigger {switch} {trigger.id}"),
            ),
        ),
        data=data,
    )


def obstacle_of(ctx: Context, trigger: Trigger) -> str:
    """Say why a trigger could not fire now, whatever happened; "" when it could."""
    if not trigger.is_enabled:
        return f"it is disabled: {trigger.reason or 'no reason was given'}"
    if triggers.has_lost_webhook(ctx.tx, trigger):
        return f"{trigger.when.webhook} was deleted, so nothing sets it off any more"
    command = ctx.registry.find(trigger.rule.command)
    if command is None:
        return f"there is no command {trigger.rule.command} any more"
    try:
        bus.authorise(command, triggers.owner_of(ctx.tx, trigger))
    except Problem as problem:
        return problem.detail
    return ""


def fault_of(tx: Tx, trigger: Trigger) -> str:
    """Say why a filter could not be applied to the newest event; "" when it could.

    Such an event counts as no match, so nothing else would tell.
    """
    event = fires.find_last(tx, trigger) if trigger.rule.filter else None
    if event is None or event.seq <= trigger.since_seq:
        return ""
    try:
        fires.passes(trigger, fires.subject_of(tx, trigger, event))
    except Problem as problem:
        return f"event {event.seq} counted as no match: {problem.detail}"
    return ""


def written_when(trigger: Trigger) -> str:
    """Write for people what sets a trigger off."""
    when = trigger.when
    if when.webhook:
        return f"a delivery to {when.webhook}"
    about = f" of {', '.join(sorted(when.targets))}" if when.targets else ""
    return f"{', '.join(sorted(when.events))}{about}"


def fire_view_of(tx: Tx, trigger: Trigger, fire: Fire) -> dict[str, Any]:
    """Show a fire with what set it off and what became of it."""
    return {
        "id": fire.request_id,
        "at": to_iso(fire.at),
        "seq": fire.seq,
        **_set_off_by(tx, fire),
        "delivery": fire.key if trigger.when.webhook else "",
        "chain": list(fire.chain),
        "cut": fire.cut,
        **_became(tx, fire),
    }


def _set_off_by(tx: Tx, fire: Fire) -> dict[str, Json]:
    try:
        event = fires.get_event(tx, fire.seq)
    except NotFound:
        return {"event": "", "target": ""}
    return {"event": event.type, "target": event.target}


def _became(tx: Tx, fire: Fire) -> dict[str, Json]:
    """Read off the inbox how a fire went; its row is forgotten before the fire is."""
    stored = None if fire.cut else received.find(tx, fire.request_id)
    if stored is None:
        return {
            "reply_id": "",
            "url": "",
            "outcome": "cut" if fire.cut else "forgotten",
            "took_ms": None,
            "command": "",
            "summary": fire.cut,
            "code": "",
        }
    found = deliveries.to_delivery(stored)
    return {
        "reply_id": found.reply_id,
        "url": found.url,
        "outcome": _approval(tx, stored) or found.outcome.value,
        "took_ms": found.took_ms,
        "command": found.command,
        "summary": found.summary,
        "code": found.code,
    }


def _approval(tx: Tx, stored: Received) -> str:
    """Say that a command still waits for other people; "" when none does."""
    reply = deliveries.reply_of(stored)
    told = [reply, *reply.get("data", {}).get("items", ())]
    asked = [
        str(each["data"].get("approval", ""))
        for each in told
        if each.get("status") == ReplyStatus.NEEDS_CONFIRMATION.value
    ]
    waits = any(_is_open(tx, each) for each in asked)
    return "waiting for approval" if waits else ""


def _is_open(tx: Tx, request_id: str) -> bool:
    try:
        return requests.get_(tx, request_id).status in _OPEN
    except NotFound:
        return False


def _name_of(tx: Tx, user_id: str) -> str:
    user = users.find(tx, user_id)
    return user.name if user else user_id
