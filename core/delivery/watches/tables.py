"""The tables of watches and of live cards."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

watches = tenant_table(
    "watches",
    Column("user_id", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("since_seq", BigInteger, nullable=False),
    Index("ix_watches_target", "tenant_id", "target"),
)

cards = tenant_table(
    "cards",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("since_seq", BigInteger, nullable=False),
    Index("ix_cards_target", "tenant_id", "target"),
)
