"""The tables of the inbox, of conversations, of channel state and of cursors."""

from sqlalchemy import BigInteger, Column, Index, Text, text

from core.database import tenant_table

_HAS_PAYLOAD = text("payload <> ''")
_HAS_CONVERSATION = text("conversation <> ''")
_IS_WAITING = text("state = 'received'")
_HAS_FAILED = text("outcome = 'failed'")

inbox = tenant_table(
    "inbox",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("reply_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("done_at", BigInteger, nullable=False, server_default="0"),
    Column("outcome", Text, nullable=False, server_default=text("''")),
    Column("replayed_as", Text, nullable=False, server_default=text("''")),
    Index("ix_inbox_reply", "tenant_id", "reply_id"),
    # Each of these is paid for by the messages that need it, not by every command.
    Index(
        "ix_inbox_conversation",
        "tenant_id",
        "conversation",
        "seq",
        sqlite_where=_HAS_CONVERSATION,
        postgresql_where=_HAS_CONVERSATION,
    ),
    Index(
        "ix_inbox_waiting",
        "tenant_id",
        "seq",
        sqlite_where=_IS_WAITING,
        postgresql_where=_IS_WAITING,
    ),
    Index(
        "ix_inbox_account",
        "tenant_id",
        "channel",
        "account",
        "seq",
        sqlite_where=_HAS_PAYLOAD,
        postgresql_where=_HAS_PAYLOAD,
    ),
    Index(
        "ix_inbox_failed",
        "tenant_id",
        "channel",
        "account",
        "seq",
        sqlite_where=_HAS_FAILED,
        postgresql_where=_HAS_FAILED,
    ),
)

conversations = tenant_table(
    "conversations",
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("last_id", Text),
    Column("listed_ids", Text),
    Column("more_line", Text),
    Column("reply_id", Text),
    Column("updated_at", BigInteger, nullable=False),
)

channel_states = tenant_table(
    "channel_states",
    Column("channel", Text, primary_key=True),
    Column("is_enabled", BigInteger, nullable=False),
    Column("limits", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

cursors = tenant_table(
    "cursors",
    Column("consumer", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
