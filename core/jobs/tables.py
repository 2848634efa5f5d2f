"""Jobs."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text

from core.database import tenant_table

jobs = tenant_table(
    "jobs",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("preset", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("accepted", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    CheckConstraint(
        "(status IN ('exported', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
        name="finished",
    ),
    Index("ix_jobs_number", "tenant_id", "number"),
    Index("ix_jobs_status", "tenant_id", "status", "number"),
    Index("ix_jobs_run", "tenant_id", "run_id"),
    Index(
        "uq_jobs_idempotency",
        "tenant_id", "actor_id", "idempotency_key",
        unique=True,
        sqlite_where=Column("idempotency_key") != "",
        postgresql_where=Column("idempotency_key") != "",
    ),
)  # fmt: skip
