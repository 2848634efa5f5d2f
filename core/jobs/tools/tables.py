"""Tools."""

from sqlalchemy import BigInteger, Boolean, Column, Text

from core.database import tenant_table

tools = tenant_table(
    "tools",
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
