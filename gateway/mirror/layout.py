"""Where the collaboration files lie, and what each of them shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.collab.documents import DOCUMENTS as COLLECTIONS
from core.collab.documents import Kind
from core.database import Tx
from core.events import service as events
from core.events.log import render_human_log
from core.kernel.etag import digest, entity_tag
from core.kernel.principal import DEFAULT_TENANT, TenantId
from gateway.mirror.marks import Mark

EVENTS = "events/events.jsonl"
LOG = "logs/log.md"
RECORD = "mirror.json"
LOCK = ".mirror.lock"
ASIDE = "edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The bytes of a document and the entity tag of the version that they show."""

    body: bytes
    tag: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that is replaced whole whenever its version differs from the database's."""

    name: str
    version: Callable[[Mark], int]
    render: Callable[[Tx], Rendering]


def tenant_folder(root: Path, tenant: TenantId) -> Path:
    """Return the folder of a tenant; the default one's is the root itself."""
    return root if tenant == DEFAULT_TENANT else root / "tenants" / tenant


def state_name(kind: Kind) -> str:
    """Return the name of a collection's file."""
    return f"state/{kind.value}.json"


# A key that each row has once. Quotes inside texts are escaped, so counting it counts
# the rows.
_ROW_KEYS: Mapping[Kind, bytes] = {
    Kind.TASKS: b'"external_key":',
    Kind.LOCKS: b'"fence":',
    Kind.AGENTS: b'"registered_at":',
}


def _collection(kind: Kind) -> Document:
    def render(tx: Tx) -> Rendering:
        body, tag = COLLECTIONS[kind](tx)
        return Rendering(body=body, tag=tag, rows=body.count(_ROW_KEYS[kind]))

    return Document(
        name=state_name(kind),
        version=lambda mark: mark.versions.get(kind.value, 0),
        render=render,
    )


def _render_log(tx: Tx) -> Rendering:
    """Tell the last thousand events, as the `log` state does."""
    last, most = events.last_seq(tx), events.HUMAN_LOG_LIMIT
    told = events.list_after(tx, max(0, last - most), limit=most)
    body = render_human_log(told).encode()
    return Rendering(body=body, tag=entity_tag(last, digest(body)), rows=len(told))


DOCUMENTS: Sequence[Document] = (
    *map(_collection, Kind),
    Document(name=LOG, version=lambda mark: mark.event_seq, render=_render_log),
)
