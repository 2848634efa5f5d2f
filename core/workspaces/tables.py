"""The table of workspaces."""

from sqlalchemy import Column, Text

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
