"""Note how an account fares, and tell once when that changes for better or worse."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.delivery.health.model import AccountHealth, Link
from core.delivery.health.tables import channel_health
from core.events import service as events
from core.kernel.clock import from_micros, to_micros

_OWN = channel_health.c.tenant_id == bindparam("tenant")
_THIS = (
    _OWN,
    channel_health.c.channel == bindparam("of_channel"),
    channel_health.c.account == bindparam("of_account"),
)
_CHANGING = (
    "link",
    "last_in_at",
    "last_out_at",
    "error",
    "fix",
    "reconnects",
    "updated_at",
)
_ALL = channel_health.select().with_only_columns(
    channel_health.c.channel,
    channel_health.c.account,
    channel_health.c.link,
    channel_health.c.last_in_at,
    channel_health.c.last_out_at,
    channel_health.c.error,
    channel_health.c.fix,
    channel_health.c.reconnects,
)
_LIST = Prepared(
    _ALL.where(_OWN).order_by(channel_health.c.channel, channel_health.c.account)
)
_FIND = Prepared(_ALL.where(*_THIS))
_SAVE = Prepared(
    channel_health.update()
    .where(*_THIS)
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_REMOVE = Prepared(channel_health.delete().where(*_THIS))


def list_(tx: Tx) -> Sequence[AccountHealth]:
    """List what is known of all accounts."""
    return [_to_health(row) for row in tx.run(_LIST)]


def note(tx: Tx, seen: AccountHealth) -> None:
    """Store how an account fares; an outage is told when it begins and when it ends."""
    rows = tx.run(_FIND, of_channel=seen.channel, of_account=seen.account)
    before = _to_health(rows[0]).link if rows else Link.OFF
    values = {
        "link": seen.link.value,
        "last_in_at": _micros(seen.last_in),
        "last_out_at": _micros(seen.last_out),
        "error": seen.error,
        "fix": seen.fix,
        "reconnects": seen.reconnects,
        "updated_at": tx.micros,
    }
    if rows:
        changes = {f"new_{name}": value for name, value in values.items()}
        tx.change(_SAVE, of_channel=seen.channel, of_account=seen.account, **changes)
    else:
        key = {"channel": seen.channel, "account": seen.account}
        tx.insert(channel_health, {**key, **values})
    _tell(tx, before, seen)


def forget(tx: Tx, channel: str, account: str) -> None:
    """Drop an account that is not set up any more."""
    tx.change(_REMOVE, of_channel=channel, of_account=account)


def _tell(tx: Tx, before: Link, seen: AccountHealth) -> None:
    target = f"{seen.channel}:{seen.account}" if seen.account else seen.channel
    if seen.link is Link.DEGRADED and before is not Link.DEGRADED:
        events.append(
            tx, "channel_degraded", target=target, error=seen.error, fix=seen.fix
        )
    elif seen.link is Link.CONNECTED and before is Link.DEGRADED:
        events.append(
            tx, "channel_recovered", target=target, reconnects=seen.reconnects
        )


def _micros(moment: datetime | None) -> int:
    return to_micros(moment) if moment else 0


def _to_health(row: Row) -> AccountHealth:
    channel, account, link, last_in_at, last_out_at, error, fix, reconnects = row
    return AccountHealth(
        channel=channel,
        account=account,
        link=Link(link),
        last_in=from_micros(last_in_at) if last_in_at else None,
        last_out=from_micros(last_out_at) if last_out_at else None,
        error=error,
        fix=fix,
        reconnects=reconnects,
    )
