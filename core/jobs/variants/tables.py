"""Variants; of one job at most one is accepted."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

variants = tenant_table(
    "variants",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("score", BigInteger, nullable=False),
    Column("cost_micros", BigInteger, nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", BigInteger),
    Column("accepted_by", Text, nullable=False),
    Column("accepted_at", BigInteger),
    Index("ix_variants_number", "tenant_id", "number"),
    Index("uq_variants_position", "tenant_id", "job_id", "position", unique=True),
    Index(
        "uq_variants_accepted",
        "tenant_id", "job_id",
        unique=True,
        sqlite_where=Column("accepted_at").is_not(None),
        postgresql_where=Column("accepted_at").is_not(None),
    ),
)  # fmt: skip
