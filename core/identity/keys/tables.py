"""The API key table."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

api_keys = tenant_table(
    "api_keys",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    # Who made it, "" where that was before anybody noted it.
    Column("created_by", Text, nullable=False, server_default=text("''")),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=False),
    Index("uq_api_keys_hash", "hash", unique=True),
    Index("ix_api_keys_number", "tenant_id", "number"),
    Index("ix_api_keys_user", "tenant_id", "user_id"),
)
