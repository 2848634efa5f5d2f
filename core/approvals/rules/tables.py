"""The table of approval rules."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

approval_rules = tenant_table(
    "approval_rules",
    Column("command", Text, primary_key=True),
    Column("need", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("set_by", Text, nullable=False),
)
