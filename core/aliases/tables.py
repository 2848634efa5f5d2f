"""The table of aliases."""

from sqlalchemy import Column, Text

from core.database import tenant_table

aliases = tenant_table(
    "aliases",
    Column("name", Text, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("created_by", Text, nullable=False),
)
