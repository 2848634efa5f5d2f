"""The database with everything that a batch records beside its effects."""

from sqlalchemy import Engine

from core.audit.recorder import AuditRecorder
from core.database import Database
from core.delivery.conversations import MemoryRecorder
from core.delivery.inbox import InboxLookup, InboxRecorder
from core.events.recorder import EventRecorder
from core.kernel.clock import Clock


def recorded(engine: Engine, *, clock: Clock | None = None) -> Database:
    """Open a database whose units record events, inbox, conversations and audit."""
    return Database(
        engine,
        recorders=[
            EventRecorder(),
            InboxRecorder(),
            MemoryRecorder(),
            AuditRecorder(),
        ],
        lookup=InboxLookup(),
        clock=clock,
    )
