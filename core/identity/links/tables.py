"""The tables of linked accounts, open codes and wrong tries."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

channel_identities = tenant_table(
    "channel_identities",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Index("ix_channel_identities_user", "tenant_id", "user_id"),
)

link_codes = tenant_table(
    "link_codes",
    Column("hash", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("sender", Text, nullable=False),
    # Whose code it is, when it was asked for by a person rather than by a sender.
    Column("user_id", Text, nullable=False, server_default=text("''")),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_link_codes_sender", "tenant_id", "channel", "account", "sender"),
)

link_attempts = tenant_table(
    "link_attempts",
    Column("user_id", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)
