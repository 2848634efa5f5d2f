"""Create, list, rotate and revoke API keys."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.database import Tx
from core.events.service import append
from core.identity.keys import store
from core.identity.keys.model import (
    SHOWN_CHARS,
    Key,
    KeyFacts,
    KeyHash,
    KeyState,
    NewKey,
    hash_key,
    new_key_text,
)
from core.identity.scopes import Scopes, covers, parse_scopes, require_cover
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.clock import to_iso, to_micros
from core.kernel.ids import number_of
from core.kernel.jsons import canonical_json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import IllegalMove, InvalidArgument, MissingScope, NotFound
from core.kernel.texts import require_line

OVERLAP = timedelta(hours=24)
LONGEST_TTL = timedelta(days=3660)


def create(
    tx: Tx,
    name: str,
    *,
    user_id: str = "",
    scopes: Iterable[str] = (),
    ttl: timedelta | None = None,
) -> NewKey:
    """Create a key for the caller, or for `user_id`; its text is shown only now.

    Shape:  empty `scopes` mean whatever the owner may do; without `ttl` it never ends.
    Raises: MissingScope when the owner or the caller lacks a scope, NotFound,
            InvalidArgument.
    """
    owner = users.get_(tx, user_id or tx.principal.id)
    wanted = _require_scopes(tx, owner, scopes)
    title = require_line("name", name, limit=80)
    return _issue(tx, owner, title, scopes=wanted, expires_at=_end_of(tx, ttl))


def get_(tx: Tx, key_id: str) -> Key:
    """Get a key by id.

    Raises: NotFound.
    """
    found = store.find(tx, key_id)
    if found is None:
        raise NotFound(f"the key {key_id[:40]}", fix=["key list"])
    return found


def list_(
    tx: Tx, *, user_id: str = "", cursor: str = "", limit: int = PAGE_LIMIT
) -> Page[Key]:
    """List keys in the order they were made, of one user or of all.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    most = page_size(limit) + 1
    found = store.list_after(tx, after, most=most, user_id=user_id)
    items = found[:limit]
    last = number_of(items[-1].id, "K") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def rotate(tx: Tx, key_id: str, *, overlap: timedelta = OVERLAP) -> NewKey:
    """Make a successor with the same rights; the old key works for `overlap` longer.

    Raises: NotFound, IllegalMove when the key no longer works, MissingScope.
    """
    facts = _get_facts(tx, key_id)
    if facts.state(tx.now) is not KeyState.ACTIVE:
        raise IllegalMove(
            f"the key {key_id} no longer works", fix=["key create <name>"]
        )
    if not timedelta() <= overlap <= LONGEST_TTL:
        raise InvalidArgument(
            "the overlap is not possible", fix=["use 0 s to 10 years"]
        )
    old = facts.key
    require_cover(tx.principal, facts.scopes)
    until = min(old.expires_at or tx.now + overlap, tx.now + overlap)
    store.change(tx, old.id, "expires_at", to=to_micros(until))
    new = _issue(
        tx,
        facts.owner,
        old.name,
        scopes=old.scopes,
        expires_at=_same_span(old, tx.now),
    )
    append(tx, "key_rotated", target=old.id, successor=new.key.id, until=to_iso(until))
    return new


def revoke(tx: Tx, key_id: str) -> Key:
    """End a key now and for good; a second time changes nothing.

    Raises: NotFound.
    """
    key = get_(tx, key_id)
    if key.revoked_at is None:
        store.change(tx, key.id, "revoked_at", to=tx.micros)
        tx.bump("keys")
        append(tx, "key_revoked", target=key.id, name=key.name)
    return get_(tx, key.id)


def find_by_hash(tx: Tx, key_hash: KeyHash) -> KeyFacts | None:
    """Find a key of any tenant with its owner: one indexed look-up."""
    return store.find_facts_by_hash(tx, key_hash)


def find_facts(tx: Tx, key_id: str) -> KeyFacts | None:
    """Find a key of this tenant with its owner."""
    return store.find_facts(tx, key_id)


def touch(tx: Tx, key_id: str) -> None:
    """Note that a key was used."""
    store.touch(tx, key_id)


def _require_scopes(tx: Tx, owner: User, scopes: Iterable[str]) -> Scopes:
    """A key gives no more than its owner has, nor more than its maker has."""
    wanted = parse_scopes(scopes)
    for scope in sorted(wanted):
        if not covers(owner.scopes, frozenset({scope})):
            raise MissingScope(scope, who=owner.name)
    require_cover(tx.principal, wanted or owner.scopes)
    return wanted


def _end_of(tx: Tx, ttl: timedelta | None) -> datetime | None:
    if ttl is None:
        return None
    if not timedelta() < ttl <= LONGEST_TTL:
        raise InvalidArgument(
            "the key would end at once, or never",
            fix=["use 1 s to 10 years, or leave it out"],
        )
    return tx.now + ttl


def _same_span(old: Key, now: datetime) -> datetime | None:
    """A successor lives as long as its predecessor was made to live."""
    return now + (old.expires_at - old.created_at) if old.expires_at else None


def _issue(
    tx: Tx, owner: User, name: str, *, scopes: Scopes, expires_at: datetime | None
) -> NewKey:
    key_id, text = tx.new_id("K"), new_key_text()
    store.add(
        tx,
        {
            "id": key_id,
            "number": number_of(key_id, "K"),
            "name": name,
            "prefix": text[:SHOWN_CHARS],
            "hash": hash_key(text),
            "user_id": owner.id,
            "scopes": canonical_json(sorted(scopes)).decode(),
            "expires_at": to_micros(expires_at) if expires_at else 0,
            "last_used_at": 0,
            "revoked_at": 0,
            "created_by": tx.principal.id,
        },
    )
    tx.bump("keys")
    append(tx, "key_created", target=key_id, name=name, user=owner.id)
    return NewKey(key=get_(tx, key_id), text=text)


def _get_facts(tx: Tx, key_id: str) -> KeyFacts:
    facts = store.find_facts(tx, key_id)
    if facts is None:
        raise NotFound(f"the key {key_id[:40]}", fix=["key list"])
    return facts
