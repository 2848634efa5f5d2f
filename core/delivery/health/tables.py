"""The table of channel health, one row for each account."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

channel_health = tenant_table(
    "channel_health",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("link", Text, nullable=False),
    Column("last_in_at", BigInteger, nullable=False),
    Column("last_out_at", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("reconnects", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
