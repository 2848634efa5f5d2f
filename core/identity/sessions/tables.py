"""The session table."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

sessions = tenant_table(
    "sessions",
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("jti_hash", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Index("ix_sessions_user", "tenant_id", "user_id"),
)
