"""The secrets of runs, sealed."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

run_secrets = tenant_table(
    "run_secrets",
    Column("name", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
