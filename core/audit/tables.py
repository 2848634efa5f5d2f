"""The audit table."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

audit_events = tenant_table(
    "audit_events",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("approval_status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("before_digest", Text, nullable=False),
    Column("after_digest", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_events_actor", "tenant_id", "actor", "seq"),
)
