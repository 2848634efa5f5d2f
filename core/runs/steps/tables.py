"""The steps of runs."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

run_steps = tenant_table(
    "run_steps",
    Column("run_id", Text, primary_key=True),
    Column("attempt", BigInteger, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("uses", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("exit_code", BigInteger),
    Column("detail", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
)
