"""Templates and all versions that they had; a deleted one keeps its name and them."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

run_templates = tenant_table(
    "run_templates",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("latest", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("uq_run_templates_name", "tenant_id", "name", unique=True),
    Index("ix_run_templates_number", "tenant_id", "number"),
)

run_template_versions = tenant_table(
    "run_template_versions",
    Column("template_id", Text, primary_key=True),
    Column("edition", BigInteger, primary_key=True),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
)
