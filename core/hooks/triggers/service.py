"""Create, find, switch and delete triggers, and say in whose name they run."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.hooks import mapping
from core.hooks import service as hooks
from core.hooks import store as endpoints
from core.hooks.model import PayloadMap
from core.hooks.triggers import store
from core.hooks.triggers.model import (
    COLLECTION,
    MOST_TRIGGERS,
    Trigger,
    TriggerState,
    When,
    parse_name,
    unknown,
)
from core.identity.scopes import Scopes, meet, require_cover
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.ids import TriggerId, number_of
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.principal import Assurance, Principal
from core.kernel.problems import AlreadyExists, Conflict, Forbidden, MissingScope
from core.kernel.texts import require_text

_MANAGES_PEOPLE = frozenset({"users:write"})
_REASON_LIMIT = 2_000


def create(
    tx: Tx, name: str, when: When, rule: PayloadMap, *, owner: User | None = None
) -> Trigger:
    """Make a trigger that runs a command as `owner`, the caller unless said otherwise.

    Raises: AlreadyExists, InvalidArgument for a bad name or expression, NotFound for a
            webhook or when the caller is no user, Conflict when there are too many;
            as `rights_for`.
    """
    parse_name(name)
    mapping.check(rule)
    if store.find(tx, name) is not None:
        raise AlreadyExists(f"the trigger {name} exists already", fix=["trigger list"])
    if len(list_all(tx)) >= MOST_TRIGGERS:
        raise Conflict(
            f"there are {MOST_TRIGGERS} triggers, and each event asks all of them",
            fix=["trigger list", "trigger delete <id>"],
        )
    maker = users.get_(tx, tx.principal.id)
    whose = owner or maker
    webhook = hooks.get_(tx, when.webhook).id if when.webhook else ""
    trigger_id = TriggerId(tx.new_id("G"))
    store.add(
        tx,
        Trigger(
            id=trigger_id,
            name=name,
            when=When(events=when.events, targets=when.targets, webhook=webhook),
            rule=rule,
            owner_id=whose.id,
            scopes=rights_for(tx, whose),
            created_by=maker.id,
            since_seq=tx.event_seq,
            created_at=tx.now,
        ),
    )
    tx.bump(COLLECTION)
    append(
        tx,
        "trigger_created",
        target=trigger_id,
        name=name,
        command=rule.command,
        owner=whose.name,
    )
    return get_(tx, trigger_id)


def redefine(
    tx: Tx, reference: str, when: When, rule: PayloadMap, *, owner: User
) -> Trigger:
    """Have a trigger look at, or run, something else from now on, as `owner`.

    Shape:  what it has set off and has not run yet runs as it is then.
    Raises: NotFound, InvalidArgument for a bad expression; as `rights_for`.
    """
    trigger = get_(tx, reference)
    mapping.check(rule)
    webhook = hooks.get_(tx, when.webhook).id if when.webhook else ""
    changed = replace(
        trigger,
        when=When(events=when.events, targets=when.targets, webhook=webhook),
        rule=rule,
        owner_id=owner.id,
        scopes=rights_for(tx, owner),
    )
    store.define(tx, changed)
    tx.bump(COLLECTION)
    append(
        tx,
        "trigger_changed",
        target=trigger.id,
        name=trigger.name,
        command=rule.command,
        owner=owner.name,
    )
    return get_(tx, trigger.id)


def rights_for(tx: Tx, owner: User) -> Scopes:
    """Say what a trigger may do that the caller makes for `owner`: what both may do.

    Raises: MissingScope when that is somebody else and the caller manages no people,
            Forbidden when the owner is disabled.
    """
    if owner.id != tx.principal.id:
        require_cover(tx.principal, _MANAGES_PEOPLE)
    _require_active(owner)
    return meet(tx.principal.scopes, owner.scopes)


def get_(tx: Tx, reference: str) -> Trigger:
    """Get a trigger by its id or its name.

    Raises: NotFound.
    """
    found = store.find(tx, reference)
    if found is None:
        raise unknown(reference)
    return found


def list_(tx: Tx, *, limit: int = PAGE_LIMIT, cursor: str = "") -> Page[Trigger]:
    """List triggers in the order they were made.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    found = store.list_after(tx, after, most=page_size(limit) + 1)
    items = found[:limit]
    last = number_of(items[-1].id, "G") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def list_all(tx: Tx) -> Sequence[Trigger]:
    """List all triggers there are, which is not many; read again once one changed."""
    version = (COLLECTION, tx.version(COLLECTION))
    known = tx.recall(version)
    if isinstance(known, tuple):
        return known
    found = tuple(store.list_after(tx, 0, most=MOST_TRIGGERS))
    tx.remember(version, found)
    return found


def enable(tx: Tx, reference: str) -> Trigger:
    """Have a trigger react again, to what happens from now on.

    Raises: NotFound.
    """
    trigger = get_(tx, reference)
    if not trigger.is_enabled:
        _switch(tx, trigger, TriggerState.ENABLED)
        append(tx, "trigger_enabled", target=trigger.id, name=trigger.name)
    return get_(tx, trigger.id)


def disable(tx: Tx, reference: str, *, reason: str = "") -> Trigger:
    """Have a trigger react to nothing; what it set off and has not run is skipped.

    Raises: NotFound, InvalidArgument for a reason that is too long.
    """
    trigger = get_(tx, reference)
    why = require_text("reason", reason, limit=_REASON_LIMIT)
    if trigger.is_enabled:
        _switch(tx, trigger, TriggerState.DISABLED, reason=why)
        append(tx, "trigger_disabled", target=trigger.id, name=trigger.name, reason=why)
    return get_(tx, trigger.id)


def delete(tx: Tx, reference: str) -> Trigger:
    """Remove a trigger; what it has set off stays on record.

    Raises: NotFound.
    """
    trigger = get_(tx, reference)
    store.delete(tx, trigger.id)
    tx.bump(COLLECTION)
    append(tx, "trigger_deleted", target=trigger.id, name=trigger.name)
    return trigger


def owner_of(tx: Tx, trigger: Trigger) -> Principal:
    """Say in whose name a trigger runs now, with what is left of the owner's rights.

    Raises: Forbidden when the owner may do nothing any more, MissingScope when they
            may not read what it looks at: its arguments would tell them.
    """
    owner = users.get_(tx, trigger.owner_id)
    _require_active(owner)
    scopes = meet(trigger.scopes, owner.scopes)
    principal = to_principal(owner, Assurance.SECRET, scopes=scopes)
    require_sight(principal, trigger.when)
    return principal


def require_sight(principal: Principal, when: When) -> None:
    """Refuse to tell somebody of what they may not read.

    Raises: MissingScope.
    """
    if not principal.may(when.scope):
        raise MissingScope(when.scope, who=principal.name)


def has_lost_webhook(tx: Tx, trigger: Trigger) -> bool:
    """Tell whether the webhook is gone whose deliveries a trigger waits for."""
    webhook = trigger.when.webhook
    return bool(webhook) and endpoints.find(tx, webhook) is None


def _require_active(owner: User) -> None:
    if not owner.is_active:
        raise Forbidden(
            f"{owner.name}, in whose name the trigger runs, is disabled",
            fix=[f"user enable {owner.id}", "make the trigger again in another name"],
        )


def _switch(tx: Tx, trigger: Trigger, to: TriggerState, *, reason: str = "") -> None:
    store.set_state(tx, trigger.id, to, reason=reason)
    tx.bump(COLLECTION)
