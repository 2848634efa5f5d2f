"""Presets."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

presets = tenant_table(
    "presets",
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("variants", BigInteger, nullable=False),
    Column("format", Text, nullable=False),
    Column("tools", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
