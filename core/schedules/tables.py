"""Schedules, and the ticks at which they were due: each moment once."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

schedules = tenant_table(
    "schedules",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("at", BigInteger),
    Column("every_seconds", BigInteger, nullable=False),
    Column("catch_up", Text, nullable=False),
    Column("overlap", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("paused_until", BigInteger),
    Column("next_at", BigInteger),
    Column("last_at", BigInteger),
    Column("failures", BigInteger, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Index("ix_schedules_number", "tenant_id", "number"),
    Index("ix_schedules_next", "tenant_id", "status", "next_at"),
)

schedule_ticks = tenant_table(
    "schedule_ticks",
    Column("schedule_id", Text, primary_key=True),
    Column("fire_at", BigInteger, primary_key=True),
    Column("state", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_schedule_ticks_request", "tenant_id", "request_id"),
    Index("ix_schedule_ticks_state", "tenant_id", "state", "schedule_id", "fire_at"),
    Index("ix_schedule_ticks_target", "tenant_id", "target"),
    Index("ix_schedule_ticks_time", "tenant_id", "fire_at"),
)
