"""The tables of the mail channel's memory."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

mail_cursors = tenant_table(
    "mail_cursors",
    Column("account", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("uid_validity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=False),
    Column("reader", Text, nullable=False),
    Column("reader_until", BigInteger, nullable=False),
)

mail_sent = tenant_table(
    "mail_sent",
    Column("account", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("parcel_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("is_notice", BigInteger, nullable=False),
    Column("is_urgent", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("bounced_at", BigInteger, nullable=False),
    Index("ix_mail_sent_recipient", "tenant_id", "account", "recipient", "sent_at"),
    Index("ix_mail_sent_thread", "tenant_id", "account", "thread", "sent_at"),
    Index("ix_mail_sent_sent_at", "tenant_id", "sent_at"),
)

mail_tokens = tenant_table(
    "mail_tokens",
    Column("account", Text, primary_key=True),
    Column("token_hash", Text, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_mail_tokens_expires_at", "tenant_id", "expires_at"),
)
