"""The inbox: every message once, with the answer that its sender was given."""

import typing
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import (
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from core.database import Head, Prepared, Row, Session, Tx
from core.delivery.model import InboxDraft, InboxKey, InboxState, StoredMessage
from core.delivery.tables import inbox
from core.kernel.clock import Micros, from_micros
from core.kernel.jsons import canonical_json

_KEYS = bindparam("keys", type_=Text)


def _finding(keys: Select[tuple[str]]) -> Prepared:
    """Look one sender's messages up by their keys, which come as one JSON list."""
    return Prepared(
        select(
            inbox.c.key,
            inbox.c.request_hash,
            inbox.c.state,
            inbox.c.reply,
            inbox.c.seq,
            inbox.c.request_id,
        ).where(
            inbox.c.tenant_id == bindparam("tenant"),
            inbox.c.channel == bindparam("channel"),
            inbox.c.account == bindparam("account"),
            inbox.c.sender == bindparam("sender"),
            inbox.c.key.in_(keys),
        )
    )


_FIND_SQLITE = _finding(
    select(func.json_each(_KEYS).table_valued(column("value", Text)).c.value)
)
_FIND_POSTGRES = _finding(select(func.jsonb_array_elements_text(cast(_KEYS, JSONB))))


class InboxRecorder:
    """Writes the messages of a batch, numbered per tenant in commit order."""

    draft = InboxDraft
    table = inbox
    merges = ()

    def rows(
        self, head: Head, drafts: Sequence[InboxDraft], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        """Number one tenant's messages and return their rows."""
        rows = []
        for draft in drafts:
            head.inbox_seq += 1
            draft.seq = head.inbox_seq
            rows.append(
                {
                    "tenant_id": head.tenant,
                    "channel": draft.key.channel,
                    "account": draft.key.account,
                    "sender": draft.key.sender,
                    "key": draft.key.key,
                    "seq": draft.seq,
                    "conversation": draft.conversation,
                    "reply_id": draft.reply_id,
                    "request_id": draft.request_id,
                    "request_hash": draft.request_hash,
                    "state": draft.state.value,
                    "payload": draft.payload,
                    "reply": draft.reply,
                    "claimed_until": draft.claimed_until,
                    "created_at": now,
                }
            )
        return rows


class InboxLookup:
    """Finds which messages of a batch are stored already: one query per sender."""

    def find(
        self, session: Session, keys: Sequence[Hashable]
    ) -> Mapping[Hashable, object]:
        """Return the stored message under each key that has one."""
        wanted = sorted(typing.cast(Sequence[InboxKey], keys))
        found: dict[Hashable, object] = {}
        for sender, group in groupby(wanted, key=lambda key: key[:4]):
            for row in _find(session, sender, [key.key for key in group]):
                stored = _to_message(InboxKey._make((*sender, row[0])), row)
                found[stored.key] = stored
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReply:
    """A reply as JSON, "" while its message waits; `at` is when that came in."""

    body: str
    at: datetime


def find_reply(tx: Tx, reply_id: str) -> str | None:
    """Find a stored reply, as JSON, by its own id or by its request's.

    Shape:  both ids share one token: `rp_01JC8…` answers `rq_01JC8…`.
    """
    found = find_stored(tx, reply_id)
    return found.body if found else None


def find_stored(tx: Tx, reply_id: str) -> StoredReply | None:
    """Find a stored reply like `find_reply`, with its age."""
    own = f"rp_{reply_id[3:]}" if reply_id.startswith("rq_") else reply_id
    rows = tx.run(_BY_REPLY, reply_id=own)
    if not rows:
        return None
    body, at = rows[0]
    return StoredReply(body=str(body), at=from_micros(at))


_BY_REPLY = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.reply, inbox.c.created_at)
    .where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.reply_id == bindparam("reply_id"),
    )
)


def _find(
    session: Session, sender: tuple[str, ...], keys: Sequence[str]
) -> Sequence[Row]:
    tenant, channel, account, name = sender
    query = _FIND_SQLITE if session.dialect.name == "sqlite" else _FIND_POSTGRES
    return session.run(
        query,
        {
            "tenant": tenant,
            "channel": channel,
            "account": account,
            "sender": name,
            "keys": canonical_json(list(keys)).decode(),
        },
    )


def _to_message(key: InboxKey, row: Row) -> StoredMessage:
    _, request_hash, state, reply, seq, request_id = row
    return StoredMessage(
        key=key,
        request_hash=request_hash,
        state=InboxState(state),
        reply=reply,
        seq=seq,
        request_id=request_id,
    )
