"""The event table."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

events = tenant_table(
    "events",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("cause", Text, nullable=False, server_default=text("''")),
    Index("ix_events_target", "tenant_id", "target", "seq"),
    Index("ix_events_type", "tenant_id", "type", "seq"),
)
