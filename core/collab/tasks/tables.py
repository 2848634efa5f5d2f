"""The task table; lists are canonical JSON text, so that a row is a whole task."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

tasks = tenant_table(
    "tasks",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("external_key", Text),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("blocked_from", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("implementer", Text, nullable=False),
    Column("priority", BigInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("dod", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("field_versions", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
    Index("uq_tasks_number", "tenant_id", "number", unique=True),
    Index("uq_tasks_external_key", "tenant_id", "external_key", unique=True),
    Index("ix_tasks_status", "tenant_id", "status", "number"),
    Index("ix_tasks_assignee", "tenant_id", "assignee", "number"),
)
