"""The tables of triggers and of what they set off."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

triggers = tenant_table(
    "triggers",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("webhook", Text, nullable=False),
    Column("map", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("since_seq", BigInteger, nullable=False),
    Index("uq_triggers_name", "tenant_id", "name", unique=True),
    Index("ix_triggers_number", "tenant_id", "number"),
)

trigger_fires = tenant_table(
    "trigger_fires",
    Column("request_id", Text, primary_key=True),
    Column("trigger_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_seq", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    Column("cut", Text, nullable=False),
    Index("uq_trigger_fires_key", "tenant_id", "trigger_id", "key", unique=True),
    Index("ix_trigger_fires_trigger", "tenant_id", "trigger_id", "event_seq"),
)
