"""Artifacts, and their content in pieces; `subject` is a run or an export."""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Text

from core.database import tenant_table

artifacts = tenant_table(
    "artifacts",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("is_partial", Boolean, nullable=False),
    Column("upload_until", BigInteger),
    Index("ix_artifacts_number", "tenant_id", "number"),
    Index("ix_artifacts_subject", "tenant_id", "subject", "number"),
    Index("ix_artifacts_upload", "tenant_id", "state", "upload_until"),
)

artifact_pieces = tenant_table(
    "artifact_pieces",
    Column("artifact_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
