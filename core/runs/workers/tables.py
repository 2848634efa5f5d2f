"""The workers that were ever heard of."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

workers = tenant_table(
    "workers",
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lanes", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
    Index("ix_workers_state", "tenant_id", "state", "heartbeat_at"),
)
