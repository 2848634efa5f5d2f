"""The tables of subscriptions and of what was tried for them."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

subscriptions = tenant_table(
    "subscriptions",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("creator_id", Text, nullable=False),
    Column("creator_scopes", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text, nullable=False),
    Column("previous_until", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since_seq", BigInteger, nullable=False),
    Column("last_ok_at", BigInteger, nullable=False),
    Column("failing_since", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Index("uq_subscriptions_name", "tenant_id", "name", unique=True),
    Index("ix_subscriptions_number", "tenant_id", "number"),
)

callback_attempts = tenant_table(
    "callback_attempts",
    Column("key", Text, primary_key=True),
    Column("attempt", BigInteger, primary_key=True),
    Column("tried_at", BigInteger, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("took_ms", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("ix_callback_attempts_tried", "tenant_id", "tried_at"),
)
