"""What was set for the lanes of a tenant; a lane without a row has the defaults."""

from sqlalchemy import BigInteger, Boolean, Column, Text

from core.database import tenant_table

lanes = tenant_table(
    "lanes",
    Column("lane", Text, primary_key=True),
    Column("weight", BigInteger, nullable=False),
    Column("concurrency", BigInteger, nullable=False),
    Column("is_draining", Boolean, nullable=False),
)
