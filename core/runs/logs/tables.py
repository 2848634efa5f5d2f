"""The chunks of what runs printed; `begin` counts the bytes of the run before."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

run_logs = tenant_table(
    "run_logs",
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("attempt", BigInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("begin", BigInteger, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_run_logs_step", "tenant_id", "run_id", "step", "seq"),
)
