"""The lease table, one row per lease that is held, and who leads in what."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

leases = tenant_table(
    "leases",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("resource", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("acquired_at", BigInteger, nullable=False),
    Column("ttl_seconds", BigInteger, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Index("uq_leases_resource", "tenant_id", "resource", unique=True),
    Index("ix_leases_number", "tenant_id", "number"),
    Index("ix_leases_expires_at", "tenant_id", "expires_at"),
)

leaders = tenant_table(
    "leaders",
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)
