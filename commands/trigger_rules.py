"""What a trigger may be: in whose name, with which rights, and what looks misspelt."""

from collections.abc import Iterator, Sequence

from commands import bus
from commands.context import Context
from commands.suggest import nearest
from core.events import service as events
from core.events.model import EventFilter
from core.hooks.model import PayloadMap
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import When, is_own
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance
from core.kernel.problems import NotFound, NotRunnable
from core.kernel.reply import Block, Text

# How far back is looked for the names of events.
_NEWS = 1_000


def doubts(ctx: Context, when: When) -> Sequence[Block]:
    """Point at types of events that nobody has seen, for they may be misspelt."""
    unseen = [
        each
        for each in sorted(when.events - events.RESERVED)
        if not events.list_last(ctx.tx, EventFilter(types=frozenset({each})), limit=1)
    ]
    return tuple(Text(md=each) for each in _doubts(ctx, unseen))


def owner_named(ctx: Context, name: str) -> User:
    """Find in whose name a trigger is to run; the caller's unless said otherwise.

    Raises: NotFound.
    """
    if not name:
        return users.get_(ctx.tx, ctx.principal.id)
    found = users.find_by_name(ctx.tx, name)
    if found is None:
        raise NotFound(f"the user {name[:40]}", fix=["user list"])
    return found


def require_able(ctx: Context, when: When, rule: PayloadMap, owner: User) -> None:
    """Refuse a trigger whose every fire would be denied.

    Raises: MissingScope, AssuranceTooLow, Forbidden, NotRunnable.
    """
    scopes = triggers.rights_for(ctx.tx, owner)
    able = to_principal(owner, Assurance.SECRET, scopes=scopes)
    triggers.require_sight(able, when)
    mapped = ctx.registry.find(rule.command)
    if mapped is None:
        return
    bus.authorise(mapped, able)
    if mapped.tells_secret:
        raise NotRunnable(
            f"{mapped.name} tells a secret, and nobody hears what a trigger is told",
            fix=["choose another command"],
            argument="command",
        )


def _doubts(ctx: Context, unseen: Sequence[str]) -> Iterator[str]:
    if not unseen:
        return
    news = events.list_last(ctx.tx, limit=_NEWS)
    seen = {each.type for each in news if not is_own(each.type)}
    for name in unseen:
        close = nearest(name, events.RESERVED | seen, limit=1)
        meant = f"; did you mean `{close[0]}`?" if close else "."
        yield f"No event `{name}` so far{meant} `event tail` shows what happens."
