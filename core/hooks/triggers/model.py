"""What a trigger is, what sets it off, and what keeps triggers from chasing each other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.events.model import Event, EventFilter, is_wanted
from core.hooks.model import PayloadMap
from core.kernel.ids import TriggerId
from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.texts import require_line

CHANNEL = "trigger"
COLLECTION = "triggers"
FIRE = "trigger fire"  # what the audit calls a fire that was cut
RECEIVED = "webhook_received"
MOST_TRIGGERS = 200
LONGEST_CHAIN = 5
MOST_FIRES = 60
FIRES_WITHIN = timedelta(minutes=1)

_OWN_EVENTS = "trigger_"
_REACTION_FAILED = "reaction_failed"
_MOST_NAMED = 20
_TYPE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TYPE_LIMIT = 64
_TARGET_LIMIT = 200

Chain = tuple[str, ...]


class TriggerState(StrEnum):
    """Whether a trigger reacts."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What sets a trigger off: events of some types, or a webhook's deliveries.

    Shape:  either `events`, about `targets` if there are any, or `webhook`, an id.
    """

    events: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    webhook: str = ""

    @property
    def scope(self) -> str:
        """The right that it takes to read what is looked at."""
        return "webhooks:read" if self.webhook else "events:read"

    @property
    def wanted(self) -> EventFilter:
        """The events to look at."""
        if self.webhook:
            return EventFilter(
                types=frozenset({RECEIVED}), targets=frozenset({self.webhook})
            )
        return EventFilter(types=self.events, targets=self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """When something happens, then one fixed command runs as somebody.

    Shape:  `rule` fills the command's arguments, and its filter must let the event (or
            the delivery's payload) through. `scopes` is what the owner may use at most;
            it runs with what of them the owner still holds. `reason` says why it is
            disabled. `created_by` is the id of whoever made it. The events that it
            looks at follow `since_seq`: it was made, or enabled, then.
    """

    id: TriggerId
    name: str
    when: When
    rule: PayloadMap
    owner_id: str
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    since_seq: int = 0
    state: TriggerState = TriggerState.ENABLED
    reason: str = ""

    @property
    def is_enabled(self) -> bool:
        """Whether it reacts."""
        return self.state is TriggerState.ENABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One time that a trigger was set off, or was kept from it.

    Shape:  `key` is the number of the event, or the delivery's id: nothing sets a
            trigger off twice. `chain` are the triggers that led to it, the first one
            first. `cut` says why it did not run, "" when it was given to the inbox.
    """

    request_id: str
    trigger_id: TriggerId
    key: str
    seq: int
    at: datetime
    chain: Chain = ()
    cut: str = ""


def parse_name(text: str) -> str:
    """Read a trigger's name.

    Raises: InvalidArgument.
    """
    return require_name("a trigger", text, such_as="tell-qa")


def parse_when(
    events: Iterable[str], *, targets: Iterable[str] = (), webhook: str = ""
) -> When:
    """Read what is to set a trigger off.

    Raises: InvalidArgument for neither or both of events and a webhook, for what is no
            type of event, and for what triggers tell of themselves.
    """
    when = When(events=frozenset(events), targets=frozenset(targets), webhook=webhook)
    if bool(when.events) == bool(webhook):
        raise InvalidArgument(
            "a trigger waits for events or for a webhook",
            fix=["--on task_created,status_changed", "--webhook W-3"],
            argument="on",
        )
    if webhook and when.targets:
        raise InvalidArgument(
            "the deliveries of a webhook have no target",
            fix=["use --filter on what they say"],
            argument="target",
        )
    if max(len(when.events), len(when.targets)) > _MOST_NAMED:
        raise InvalidArgument(
            f"a trigger waits for at most {_MOST_NAMED} types and targets",
            fix=["make several triggers"],
            argument="on",
        )
    for each in sorted(when.events):
        _require_type(each)
    for each in sorted(when.targets):
        require_line("target", each, limit=_TARGET_LIMIT)
    return when


def awaits(trigger: Trigger, event: Event) -> bool:
    """Tell whether a trigger looks at an event, before its filter is asked.

    Nothing reacts to what triggers tell of themselves: a cut that sets one off would
    begin the loop that it has ended.
    """
    return not is_own(event.type) and is_wanted(event, trigger.when.wanted)


def is_own(event_type: str) -> bool:
    """Tell whether an event tells of triggers, or of what could not be reacted to."""
    return event_type.startswith(_OWN_EVENTS) or event_type == _REACTION_FAILED


def key_of(trigger: Trigger, event: Event) -> str:
    """Name what sets a trigger off; the same delivery may be told of twice."""
    return delivery_of(event) if trigger.when.webhook else str(event.seq)


def delivery_of(event: Event) -> str:
    """Read the id of the delivery that an event tells of."""
    return str(event.details.get("delivery", ""))


def cut_of(chain: Chain, trigger_id: str) -> str:
    """Say why a chain may not go on to a trigger; "" when it may.

    With no trigger twice and a limit, every chain ends, whatever the triggers are.
    """
    whole = written((*chain, trigger_id))
    if trigger_id in chain:
        return f"a loop of triggers: {whole}"
    if len(chain) >= LONGEST_CHAIN:
        return f"a chain of more than {LONGEST_CHAIN} triggers: {whole}"
    return ""


def written(chain: Chain) -> str:
    """Write a chain: `G-1 > G-2 > G-1`."""
    return " > ".join(chain)


def unknown(reference: str) -> NotFound:
    """Say that there is no such trigger."""
    return NotFound(f"the trigger {reference[:40]}", fix=["trigger list"])


def _require_type(text: str) -> None:
    if len(text) > _TYPE_LIMIT or not _TYPE.fullmatch(text):
        raise InvalidArgument(
            f"{text[:_TYPE_LIMIT]!r} is no type of event",
            fix=["--on task_created", "event tail"],
            argument="on",
        )
    if is_own(text):
        raise InvalidArgument(
            f"{text} tells of reactions themselves, and no trigger may react to it",
            fix=["--on task_created,status_changed"],
            argument="on",
        )
