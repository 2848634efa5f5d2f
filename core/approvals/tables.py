"""The proposal table."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

proposals = tenant_table(
    "proposals",
    Column("id", Text, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("consumed_at", BigInteger, nullable=False),
    Index("ix_proposals_principal", "tenant_id", "principal", "expires_at"),
)
