"""Tries a trigger on something that happened, or might, and changes nothing."""

from dataclasses import dataclass
from typing import Any

from commands import blocks
from commands.context import Context
from commands.trigger_views import obstacle_of, written_when
from commands.webhook_maps import try_found
from core.delivery import received
from core.events.model import Event
from core.hooks import deliveries, mapping
from core.hooks.mapping import Skipped
from core.hooks.model import CHANNEL as WEBHOOK
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import Trigger, awaits, delivery_of
from core.identity.users import store as users
from core.identity.users.model import to_principal
from core.kernel.jsons import Json
from core.kernel.principal import Assurance, Principal
from core.kernel.problems import InvalidArgument, NotFound, Problem
from core.kernel.reply import SUMMARY_LIMIT, Code, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What to try a trigger on: one of these; the newest event for none."""

    seq: int | None = None
    is_last: bool = False
    delivery: str = ""
    payload: Any = None

    @property
    def given(self) -> int:
        """How many of them were given."""
        is_given = (
            self.seq is not None,
            self.is_last,
            bool(self.delivery),
            self.payload is not None,
        )
        return sum(is_given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the expressions look at, and where it is from; `why` it does not match."""

    subject: Json = None
    seq: int | None = None
    delivery: str = ""
    why: str = ""


def judged(ctx: Context, trigger: Trigger, sample: Sample) -> Reply:
    """Say whether a sample sets a trigger off, and what would run.

    Raises: InvalidArgument for more than one sample; NotFound when there is no such
            event or delivery; MissingScope for who may not read it.
    """
    if sample.given > 1:
        raise InvalidArgument(
            "one sample at a time",
            fix=[f"trigger test {trigger.id} --last", "give one of the flags"],
            argument="event",
        )
    found = _find(ctx, trigger, sample)
    tried, why = ([], found.why) if found.why else _try(ctx, trigger, found.subject)
    obstacle = obstacle_of(ctx, trigger)
    return Reply(
        summary=_summary(trigger, len(tried), why)[:SUMMARY_LIMIT],
        blocks=(
            blocks.fields(
                ("event", found.seq),
                ("delivery", found.delivery),
                ("cannot fire", obstacle),
            ),
            *((Code(text="\n".join(_lines(tried))),) if tried else ()),
        ),
        data={
            "id": trigger.id,
            "seq": found.seq,
            "delivery": found.delivery,
            "matches": not why,
            "why": why,
            "obstacle": obstacle,
            "calls": list(tried),
        },
    )


def _find(ctx: Context, trigger: Trigger, sample: Sample) -> _Found:
    if sample.payload is not None:
        return _Found(subject=sample.payload)
    triggers.require_sight(ctx.principal, trigger.when)
    if sample.delivery:
        return _of_delivery(ctx, trigger, sample.delivery)
    if sample.seq is not None:
        return _of_event(ctx, trigger, fires.get_event(ctx.tx, sample.seq))
    event = fires.find_last(ctx.tx, trigger)
    if event is None:
        raise NotFound(
            f"an event that {trigger.id} looks at ({written_when(trigger)})",
            fix=[f"trigger test {trigger.id} --payload {{}}"],
        )
    return _of_event(ctx, trigger, event)


def _of_event(ctx: Context, trigger: Trigger, event: Event) -> _Found:
    if not awaits(trigger, event):
        about = f" of {event.target}" if event.target else ""
        why = f"{event.type}{about} is not {written_when(trigger)}"
        return _Found(seq=event.seq, why=why)
    return _Found(
        subject=fires.subject_of(ctx.tx, trigger, event),
        seq=event.seq,
        delivery=delivery_of(event) if trigger.when.webhook else "",
    )


def _of_delivery(ctx: Context, trigger: Trigger, request_id: str) -> _Found:
    stored = received.find(ctx.tx, request_id)
    if stored is None or stored.key.channel != WEBHOOK:
        raise NotFound(
            f"the delivery {request_id[:40]}",
            fix=[f"webhook deliveries {trigger.when.webhook or 'W-1'}"],
        )
    if stored.key.account != trigger.when.webhook:
        why = f"a delivery to {stored.key.account} is not {written_when(trigger)}"
        return _Found(delivery=stored.request_id, why=why)
    return _Found(subject=deliveries.payload_of(stored), delivery=stored.request_id)


def _try(
    ctx: Context, trigger: Trigger, subject: Json
) -> tuple[list[dict[str, Json]], str]:
    """Work out the calls as a fire would; else why there are none."""
    try:
        # What sets it off leaves a filter less than there is for the whole rule.
        fires.passes(trigger, subject)
        calls = mapping.extract_calls([trigger.rule], subject)
    except Problem as problem:
        return [], problem.detail
    if isinstance(calls, Skipped):
        return [], calls.reason
    owner = _owner(ctx, trigger)
    webhook = trigger.when.webhook
    return [try_found(ctx, each, webhook=webhook, as_=owner) for each in calls], ""


def _owner(ctx: Context, trigger: Trigger) -> Principal | None:
    """Say in whose name it would run, whether or not they still may."""
    user = users.find(ctx.tx, trigger.owner_id)
    return to_principal(user, Assurance.SECRET) if user else None


def _summary(trigger: Trigger, count: int, why: str) -> str:
    if why:
        return f"{trigger.id} would not fire: {why}"
    return f"{trigger.id} would run {blocks.count(count, 'command')}"


def _lines(tried: list[dict[str, Json]]) -> list[str]:
    return [str(each["line"] or each["problem"]) for each in tried]
