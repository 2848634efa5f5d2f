"""The tables of workspaces, and of consents that are awaited."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

workspaces = tenant_table(
    "workspaces",
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("enterprise_id", Text, nullable=False),
    Column("bot_user_id", Text, nullable=False),
    Column("team_name", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("installed_by", Text, nullable=False),
)

workspace_consents = tenant_table(
    "workspace_consents",
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
