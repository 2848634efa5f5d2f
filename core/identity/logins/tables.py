"""The login link table."""

from sqlalchemy import BigInteger, Column, Text

from core.database import tenant_table

login_links = tenant_table(
    "login_links",
    Column("hash", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
