"""Create, find, change, pause and delete schedules, and say in whose name they run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.database import Tx
from core.events.service import append
from core.identity.scopes import Scopes, meet
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.clock import to_iso
from core.kernel.ids import ScheduleId, number_of
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.principal import Assurance, Principal
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    Forbidden,
    IllegalMove,
    InvalidArgument,
    MissingScope,
)
from core.kernel.texts import require_text
from core.schedules import fires, store, ticks
from core.schedules.model import (
    COLLECTION,
    MOST_SCHEDULES,
    Order,
    Overlap,
    Rules,
    Schedule,
    ScheduleStatus,
    Tick,
    parse_name,
    unknown,
)
from core.schedules.timing import Timing, next_after, next_from, preview

_CANCELS = "runs:write"
_REASON_LIMIT = 2_000
_LINE_LIMIT = 4_000


def create(
    tx: Tx, order: Order, timing: Timing, *, name: str = "", rules: Rules | None = None
) -> Schedule:
    """Have a command run by the clock, in the caller's name.

    Raises: AlreadyExists, InvalidArgument for a bad name, NotFound when the caller is no
            user, Conflict when there are too many, MissingScope for who may not cancel
            runs and wants old ones cancelled.
    """
    _require_free(tx, name)
    if store.count(tx) >= MOST_SCHEDULES:
        raise Conflict(
            f"there are {MOST_SCHEDULES} schedules, which is as many as there may be",
            fix=["schedule list", "schedule delete <id>"],
        )
    rules = rules or Rules()
    _require_order(tx, order, rules)
    owner = users.get_(tx, tx.principal.id)
    schedule = Schedule(
        id=ScheduleId(tx.new_id("S")),
        name=name,
        order=order,
        timing=timing,
        rules=rules,
        owner_id=owner.id,
        scopes=_rights_for(tx, owner),
        created_by=owner.id,
        created_at=tx.now,
        next_at=next_after(timing, tx.now),
    )
    store.add(tx, schedule)
    _tell(tx, "schedule_created", schedule)
    return schedule


def redefine(
    tx: Tx,
    reference: str,
    *,
    name: str,
    order: Order,
    timing: Timing,
    rules: Rules,
) -> Schedule:
    """Change a schedule; a new command runs in the caller's name from now on.

    Shape:  what is due by now fires, or is missed, as it was before; moments of the new
            timing count from now. What stands in the inbox already runs as it is then.
    Raises: as create; NotFound.
    """
    schedule = fires.set_off(tx, get_(tx, reference))
    if name != schedule.name:
        _require_free(tx, name)
    if order != schedule.order or rules != schedule.rules:
        _require_order(tx, order, rules)
    changed = replace(schedule, name=name, order=order, timing=timing, rules=rules)
    if order != schedule.order:
        owner = users.get_(tx, tx.principal.id)
        scopes = _rights_for(tx, owner)
        changed = replace(changed, owner_id=owner.id, scopes=scopes, failures=0)
    if timing != schedule.timing:
        changed = _timed_anew(tx, changed)
    store.put(tx, changed)
    _tell(tx, "schedule_changed", changed)
    return changed


def get_(tx: Tx, reference: str) -> Schedule:
    """Get a schedule by its id or its name.

    Raises: NotFound.
    """
    found = store.find(tx, reference)
    if found is None:
        raise unknown(reference)
    return found


def list_(tx: Tx, *, limit: int = PAGE_LIMIT, cursor: str = "") -> Page[Schedule]:
    """List schedules in the order they were made.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    found = store.list_after(tx, after, most=page_size(limit) + 1)
    items = found[:limit]
    last = number_of(items[-1].id, "S") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def next_fires(
    tx: Tx, schedule: Schedule, count: int, *, since: datetime | None = None
) -> Sequence[datetime]:
    """List when a schedule fires next; nothing while it is paused without an end.

    Shape:  with `since`, the moments from that one on, itself included, if it is ahead.
    """
    if since is not None and since > tx.now and schedule.is_active:
        return preview(schedule.timing, since, count, is_after=False)
    match schedule.status:
        case ScheduleStatus.ACTIVE:
            return preview(schedule.timing, tx.now, count)
        case ScheduleStatus.PAUSED if schedule.paused_until is not None:
            begin = max(schedule.paused_until, since or tx.now, tx.now)
            return preview(schedule.timing, begin, count, is_after=False)
        case _:
            return ()


def pause(
    tx: Tx, reference: str, *, until: datetime | None = None, reason: str = ""
) -> Schedule:
    """Have a schedule fire no more, for good or until a moment; what waits is skipped.

    Shape:  moments that pass meanwhile are nothing that was missed.
    Raises: NotFound, IllegalMove when it has ended, InvalidArgument for a moment that is
            past and for a reason that is too long.
    """
    schedule = get_(tx, reference)
    why = require_text("reason", reason, limit=_REASON_LIMIT)
    if schedule.status is ScheduleStatus.ENDED:
        raise IllegalMove(f"{schedule.id} has ended", fix=_renewed(schedule))
    if until is not None and until <= tx.now:
        raise InvalidArgument(
            f"{to_iso(until)} is past",
            fix=['--until "monday 9am"', "--until 2h"],
            argument="until",
        )
    paused = replace(
        schedule,
        status=ScheduleStatus.PAUSED,
        reason=why,
        paused_until=until,
        next_at=next_from(schedule.timing, until) if until else None,
    )
    store.put(tx, paused)
    ticks.give_up(tx, paused, reason=f"{paused.id} was paused before this could run")
    _tell(tx, "schedule_paused", paused, reason=why)
    return paused


def resume(tx: Tx, reference: str) -> Schedule:
    """Have a paused schedule fire again, from its next moment on.

    Raises: NotFound, IllegalMove when nothing is to come any more.
    """
    schedule = get_(tx, reference)
    if schedule.is_active:
        return schedule
    upcoming = next_after(schedule.timing, tx.now)
    if upcoming is None:
        raise IllegalMove(
            f"the moment of {schedule.id} has passed", fix=_renewed(schedule)
        )
    resumed = replace(
        schedule,
        status=ScheduleStatus.ACTIVE,
        reason="",
        paused_until=None,
        next_at=upcoming,
        failures=0,
    )
    store.put(tx, resumed)
    _tell(tx, "schedule_resumed", resumed)
    return resumed


def run_now(tx: Tx, reference: str) -> Tick:
    """Fire a schedule at once, in its owner's name.

    Raises: NotFound; as fires.run_now.
    """
    return fires.run_now(tx, get_(tx, reference))


def delete(tx: Tx, reference: str) -> Schedule:
    """Remove a schedule; what it has started goes on, and its moments stay on record.

    Raises: NotFound.
    """
    schedule = get_(tx, reference)
    ticks.give_up(tx, schedule, reason=f"{schedule.id} was deleted")
    store.delete(tx, schedule.id)
    _tell(tx, "schedule_deleted", schedule)
    return schedule


def owner_of(tx: Tx, schedule: Schedule) -> Principal:
    """Say in whose name a schedule runs now, with what is left of the owner's rights.

    Raises: Forbidden when the owner may do nothing any more.
    """
    owner = users.get_(tx, schedule.owner_id)
    _require_active(owner)
    return to_principal(
        owner, Assurance.SECRET, scopes=meet(schedule.scopes, owner.scopes)
    )


def _rights_for(tx: Tx, owner: User) -> Scopes:
    _require_active(owner)
    return meet(tx.principal.scopes, owner.scopes)


def _require_active(owner: User) -> None:
    if not owner.is_active:
        raise Forbidden(
            f"{owner.name}, in whose name the schedule runs, is disabled",
            fix=[f"user enable {owner.id}", "make the schedule again in another name"],
        )


def _require_free(tx: Tx, name: str) -> None:
    if name and store.find(tx, parse_name(name)) is not None:
        raise AlreadyExists(
            f"the schedule {name} exists already", fix=["schedule list"]
        )


def _require_order(tx: Tx, order: Order, rules: Rules) -> None:
    if len(order.line) > _LINE_LIMIT:
        raise InvalidArgument(
            f"the line has more than {_LINE_LIMIT} characters",
            fix=["put what is long into a template", "make it shorter"],
            argument="line",
        )
    if rules.overlap is Overlap.CANCEL_OLD and not tx.principal.may(_CANCELS):
        raise MissingScope(_CANCELS, who=tx.principal.name)


def _timed_anew(tx: Tx, schedule: Schedule) -> Schedule:
    """Give a schedule its next moment by a new timing; what had ended begins again."""
    if schedule.status is ScheduleStatus.PAUSED:
        until = schedule.paused_until
        upcoming = next_from(schedule.timing, until) if until else None
        return replace(schedule, next_at=upcoming)
    upcoming = next_after(schedule.timing, tx.now)
    return replace(schedule, status=ScheduleStatus.ACTIVE, next_at=upcoming)


def _renewed(schedule: Schedule) -> Sequence[str]:
    return [f"schedule set {schedule.id} --at 2h", f"schedule run {schedule.id}"]


def _tell(tx: Tx, event: str, schedule: Schedule, **details: str) -> None:
    tx.bump(COLLECTION)
    append(
        tx,
        event,
        target=schedule.id,
        name=schedule.name,
        command=schedule.order.command,
        **details,
    )
