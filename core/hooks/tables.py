"""The table of webhook endpoints."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

hook_endpoints = tenant_table(
    "hook_endpoints",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("auth", Text, nullable=False),
    Column("map", Text, nullable=False),
    Column("creator_id", Text, nullable=False),
    Column("creator_scopes", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text, nullable=False),
    Column("previous_until", BigInteger, nullable=False),
    Column("callback", Text, nullable=False, server_default=text("''")),
    Index("uq_hook_endpoints_name", "tenant_id", "name", unique=True),
    Index("ix_hook_endpoints_number", "tenant_id", "number"),
)
