"""The table of what leaves."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

_IS_WAITING = text("state = 'waiting'")

outbox = tenant_table(
    "outbox",
    Column("key", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("lane", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Index("ix_outbox_number", "tenant_id", "number"),
    Index(
        "ix_outbox_waiting",
        "tenant_id",
        "due_at",
        sqlite_where=_IS_WAITING,
        postgresql_where=_IS_WAITING,
    ),
    Index("ix_outbox_subject", "tenant_id", "channel", "account", "subject"),
)
