"""Whether a subscription is told of an event: it wants it, and its creator may see it."""

from core.events.model import Event, view
from core.expressions import Budget, search
from core.hooks.subscriptions.model import Wanted, is_told
from core.kernel.ids import PREFIX_NOUNS
from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument

# The right that it takes to read of a noun, where that is not the noun with an s.
_SCOPES = {"multimodal": "multimodal:read", "outbox": "outbox:read"}

# What one filter may spend of what all of them share, so that a heavy one leaves the
# others theirs.
_FILTER_STEPS = 50_000


def wants(wanted: Wanted, event: Event, *, budget: Budget | None = None) -> bool:
    """Tell whether an event is one of those that are wanted.

    Shape:  a filter that cannot be applied to an event does not match it. `budget` is
            what it shares with the other subscriptions.
    """
    return (
        not wanted.answers_only
        and is_told(event.type)
        and (not wanted.types or event.type in wanted.types)
        and (not wanted.targets or event.target in wanted.targets)
        and (not wanted.filter or _passes(wanted.filter, event, budget))
    )


def may_see(owner: Principal, event: Event) -> bool:
    """Tell whether somebody may read of what an event is about."""
    scope = scope_to_see(event.target)
    return not scope or owner.may(scope)


def scope_to_see(target: str) -> str:
    """Name the right to read of an object; "" for what is no object of ours."""
    noun = PREFIX_NOUNS.get(target.partition("-")[0], "")
    return _SCOPES.get(noun, f"{noun}s:read") if noun else ""


def _passes(expression: str, event: Event, budget: Budget | None) -> bool:
    own = Budget(_FILTER_STEPS, within=budget)
    try:
        found = search("filter", expression, view(event), budget=own)
    except InvalidArgument:
        return False
    # JMESPath's own idea of truth: nothing, false and what is empty are not.
    return found is not None and found is not False and found not in ("", [], {})
