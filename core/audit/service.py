"""Read the audit, and prove that nobody rewrote it."""

from collections.abc import Sequence

from core.audit import store
from core.audit.model import (
    AuditEntry,
    AuditFilter,
    AuditHead,
    Verification,
    chain,
)
from core.database import Tx
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor

_LOOK_BACK = 50_000


def list_(
    tx: Tx, wanted: AuditFilter, *, limit: int = 50, cursor: str = ""
) -> Page[AuditEntry]:
    """List entries, the newest first.

    Raises: InvalidQuery for a bad limit or cursor.
    """
    size = page_size(limit)
    before = parse_cursor(cursor) if cursor else None
    found = store.list_before(tx, before, wanted, limit=size + 1)
    more = render_cursor(found[size - 1].seq) if len(found) > size else None
    return Page(found[:size], more)


def get_head(tx: Tx) -> AuditHead:
    """Read the end of the chain, to be signed and kept elsewhere."""
    return store.get_head(tx)


def verify(tx: Tx, *, anchor: AuditHead | None = None) -> Verification:
    """Walk the whole chain and compare its end with the head row and an anchor.

    Shape:  an edited, removed, swapped or added entry breaks the chain at that place;
            a tail cut off together with the head row is seen through an `anchor` kept
            outside the database.
    """
    head = store.get_head(tx)
    previous, expected = "", 0
    for entry in store.walk(tx):
        expected += 1
        hash_ = chain(previous, dict(entry))
        if (
            entry["seq"] != expected
            or entry["prev_hash"] != previous
            or entry["hash"] != hash_
        ):
            return Verification(
                checked=expected - 1,
                head=head,
                broken_at=expected,
                fault="an entry was changed, removed or put in",
            )
        if anchor and anchor.seq == expected and anchor.hash != hash_:
            return _cut(expected, head, "the signed head does not fit the chain")
        previous = hash_
    if (expected, previous) != (head.seq, head.hash):
        return _cut(expected, head, "the chain does not end where its head says")
    if anchor and anchor.seq > expected:
        return _cut(expected, head, "entries after the signed head are missing")
    return Verification(checked=expected, head=head)


def _cut(checked: int, head: AuditHead, fault: str) -> Verification:
    return Verification(checked=checked, head=head, broken_at=checked or 1, fault=fault)


def list_of_request(tx: Tx, request_id: str) -> Sequence[AuditEntry]:
    """List what was decided about one request, oldest first.

    No index names requests, which every command would pay for; so this looks back over
    the newest 50,000 entries and no further.
    """
    newest = store.get_head(tx).seq
    return store.list_of_request(tx, request_id, after=newest - _LOOK_BACK)
