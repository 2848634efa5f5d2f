"""The tables of what leaves, and of when a line may go on."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

_IS_WAITING = text("state = 'waiting'")
_IS_DEAD = text("state = 'dead'")
_IS_CLAIMED = text("state = 'waiting' AND claimed_until > 0")
_IS_LOOSE = text("state = 'waiting' AND line = 'loose'")

outbox = tenant_table(
    "outbox",
    Column("key", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("lane", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("appearance", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("kept", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("fix", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Index("ix_outbox_number", "tenant_id", "number"),
    # Who is next: the first of each line and lane is found without reading the rest.
    Index(
        "ix_outbox_line",
        "tenant_id",
        "channel",
        "account",
        "line",
        "lane",
        "number",
        sqlite_where=_IS_WAITING,
        postgresql_where=_IS_WAITING,
    ),
    # Of what keeps no order, what is due soonest: the rest of an account is not read.
    Index(
        "ix_outbox_loose",
        "tenant_id",
        "channel",
        "account",
        "due_at",
        "number",
        sqlite_where=_IS_LOOSE,
        postgresql_where=_IS_LOOSE,
    ),
    Index(
        "ix_outbox_claimed",
        "tenant_id",
        "claimed_until",
        sqlite_where=_IS_CLAIMED,
        postgresql_where=_IS_CLAIMED,
    ),
    Index(
        "ix_outbox_dead",
        "tenant_id",
        "channel",
        sqlite_where=_IS_DEAD,
        postgresql_where=_IS_DEAD,
    ),
    Index("ix_outbox_subject", "tenant_id", "channel", "account", "subject"),
)

outbox_pauses = tenant_table(
    "outbox_pauses",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
)
