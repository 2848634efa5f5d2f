"""The agent table."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

agents = tenant_table(
    "agents",
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("skills", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("is_available", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
)
