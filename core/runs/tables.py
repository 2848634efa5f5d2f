"""The queue: runs, the labels they ask for, and the effects they already had."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Text, text

from core.database import tenant_table

_TERMINAL = "status IN ('succeeded', 'failed', 'timed_out', 'cancelled')"
HELD = "status IN ('claimed', 'running', 'paused', 'cancelling') AND worker <> ''"
_DUE = "status IN ('scheduled', 'retry_wait')"

runs = tenant_table(
    "runs",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("template_version", BigInteger, nullable=False),
    Column("job", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("priority", BigInteger, nullable=False),
    # Minus the priority, so that one index reads what comes first.
    Column("precedence", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("steps", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("retry", Text, nullable=False),
    Column("available_at", BigInteger, nullable=False),
    Column("deadline_at", BigInteger),
    Column("ttl_at", BigInteger),
    Column("concurrency_key", Text, nullable=False),
    Column("concurrency_limit", BigInteger, nullable=False),
    Column("labels", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_expires_at", BigInteger),
    Column("heartbeat_at", BigInteger),
    Column("cancel_requested_at", BigInteger),
    Column("paused_at", BigInteger),
    Column("idempotency_key", Text, nullable=False),
    Column("budget", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reply_to", Text, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("progress", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    CheckConstraint(
        f"({HELD}) = (lease_expires_at IS NOT NULL)", name="held_has_lease"
    ),
    CheckConstraint(
        "status NOT IN ('claimed', 'running', 'cancelling') OR worker <> ''",
        name="held_has_worker",
    ),
    CheckConstraint(
        f"({_TERMINAL}) = (finished_at IS NOT NULL)", name="finished_is_terminal"
    ),
    CheckConstraint("(status = 'paused') = (paused_at IS NOT NULL)", name="paused_at"),
    CheckConstraint(
        "status <> 'cancelling' OR cancel_requested_at IS NOT NULL",
        name="cancel_requested_at",
    ),
    CheckConstraint("lane IN ('A', 'B', 'C', 'D')", name="lane"),
    CheckConstraint("attempt >= 0 AND fence >= attempt", name="attempt"),
    CheckConstraint("concurrency_limit >= 1", name="concurrency_limit"),
    Index("ix_runs_number", "tenant_id", "number"),
    Index("ix_runs_status", "tenant_id", "status", "number"),
    # What waits for a worker, in the order in which it is given out.
    Index(
        "ix_runs_claim",
        "tenant_id", "lane", "precedence", "available_at", "number",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    Index(
        "ix_runs_due",
        "tenant_id", "available_at",
        sqlite_where=text(_DUE),
        postgresql_where=text(_DUE),
    ),
    # Few rows at any time, as many as the lanes let be held.
    Index(
        "ix_runs_held",
        "tenant_id", "concurrency_key", "lane",
        sqlite_where=text(HELD),
        postgresql_where=text(HELD),
    ),
    Index(
        "ix_runs_ttl",
        "tenant_id", "ttl_at",
        sqlite_where=text("ttl_at IS NOT NULL AND fence = 0"),
        postgresql_where=text("ttl_at IS NOT NULL AND fence = 0"),
    ),
    Index(
        "ix_runs_deadline",
        "tenant_id", "deadline_at",
        sqlite_where=text("deadline_at IS NOT NULL AND finished_at IS NULL"),
        postgresql_where=text("deadline_at IS NOT NULL AND finished_at IS NULL"),
    ),
    Index("ix_runs_finished", "tenant_id", "finished_at"),
    Index("ix_runs_job", "tenant_id", "job"),
    Index("ix_runs_parent", "tenant_id", "parent"),
    Index("ix_runs_template", "tenant_id", "template", "number"),
    Index(
        "uq_runs_idempotency",
        "tenant_id", "actor_id", "idempotency_key",
        unique=True,
        sqlite_where=Column("idempotency_key") != "",
        postgresql_where=Column("idempotency_key") != "",
    ),
)  # fmt: skip

run_labels = tenant_table(
    "run_labels",
    Column("run_id", Text, primary_key=True),
    Column("label", Text, primary_key=True),
)

run_effects = tenant_table(
    "run_effects",
    Column("run_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("attempt", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
)
