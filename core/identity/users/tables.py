"""The user table."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

users = tenant_table(
    "users",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("is_active", BigInteger, nullable=False),
    Index("uq_users_name", "tenant_id", "name", unique=True),
    Index("ix_users_number", "tenant_id", "number"),
)
