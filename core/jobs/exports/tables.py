"""Exports; the file of each is an artifact."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

exports = tenant_table(
    "exports",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("variant_id", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("artifact_id", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Index("ix_exports_number", "tenant_id", "number"),
    Index("ix_exports_job", "tenant_id", "job_id", "number"),
)
