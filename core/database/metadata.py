"""One MetaData for all tables, and the columns that every table has."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def tenant_table(name: str, *items: SchemaItem) -> Table:
    """Declare a table of one tenant's rows.

    Units:  every `*_at` column is microseconds since 1970 UTC, so that both engines
            store, sort and hash the same integers.
    """
    return Table(
        name,
        METADATA,
        Column("tenant_id", Text, nullable=False, primary_key=True),
        *items,
        Column("created_at", BigInteger, nullable=False),
        Column("version", BigInteger, nullable=False, server_default="1"),
    )
