"""Whether a channel is on and how much it may take; changeable while running."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.delivery.model import ChannelState
from core.delivery.rates import parse_rate, write_rate
from core.delivery.tables import channel_states
from core.events import service as events
from core.kernel.jsons import canonical_json

_COLUMNS = (
    channel_states.c.channel,
    channel_states.c.is_enabled,
    channel_states.c.limits,
    channel_states.c.changed_by,
    channel_states.c.reason,
)
_LIST = Prepared(
    channel_states.select()
    .with_only_columns(*_COLUMNS)
    .where(channel_states.c.tenant_id == bindparam("tenant"))
    .order_by(channel_states.c.channel)
)
_SAVE = Prepared(
    channel_states.update()
    .where(
        channel_states.c.tenant_id == bindparam("tenant"),
        channel_states.c.channel == bindparam("of"),
    )
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("is_enabled", "limits", "changed_by", "reason", "updated_at")
        }
    )
)


def list_states(tx: Tx) -> Sequence[ChannelState]:
    """List the channels whose state was ever changed."""
    return [_to_state(row) for row in tx.run(_LIST)]


def get_state(tx: Tx, channel: str) -> ChannelState:
    """Read a channel's state; an untouched channel is enabled and has no own limits."""
    found = (state for state in list_states(tx) if state.channel == channel)
    return next(found, ChannelState(channel=channel))


def enable(tx: Tx, channel: str) -> ChannelState:
    """Let a channel take commands again."""
    return _save(tx, replace(get_state(tx, channel), is_enabled=True, reason=""))


def disable(tx: Tx, channel: str, *, reason: str) -> ChannelState:
    """Have a channel refuse every command until it is enabled."""
    return _save(tx, replace(get_state(tx, channel), is_enabled=False, reason=reason))


def set_limit(tx: Tx, channel: str, *, dimension: str, rate: str) -> ChannelState:
    """Set the rate of one dimension of a channel; "" goes back to the default.

    Raises: InvalidArgument when it is no rate.
    """
    state = get_state(tx, channel)
    limits = {**state.limits, dimension: write_rate(parse_rate(rate)) if rate else ""}
    return _save(tx, replace(state, limits={k: v for k, v in limits.items() if v}))


def _save(tx: Tx, state: ChannelState) -> ChannelState:
    state = replace(state, changed_by=tx.principal.name)
    values = {
        "is_enabled": int(state.is_enabled),
        "limits": canonical_json(dict(state.limits)).decode(),
        "changed_by": state.changed_by,
        "reason": state.reason,
        "updated_at": tx.micros,
    }
    changes = {f"new_{name}": value for name, value in values.items()}
    if not tx.change(_SAVE, of=state.channel, **changes):
        tx.insert(channel_states, {"channel": state.channel, **values})
    tx.bump("channels")
    events.append(
        tx,
        "channel_state_changed",
        target=state.channel,
        is_enabled=state.is_enabled,
        limits=dict(state.limits),
        reason=state.reason,
    )
    return state


def _to_state(row: Row) -> ChannelState:
    channel, is_enabled, limits, changed_by, reason = row
    parsed: Mapping[str, str] = orjson.loads(limits)
    return ChannelState(
        channel=channel,
        is_enabled=bool(is_enabled),
        limits=parsed,
        changed_by=changed_by,
        reason=reason,
    )
