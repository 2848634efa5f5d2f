"""The relational truth: engine, group-committing writer, transactions, migrations."""

from core.database.database import Database
from core.database.engine import is_sqlite, open_engine
from core.database.head import Head
from core.database.metadata import METADATA, tenant_table
from core.database.recorder import Lookup, Recorder
from core.database.statements import Prepared, Row, Session
from core.database.tx import Tx

__all__ = [
    "METADATA",
    "Database",
    "Head",
    "Lookup",
    "Prepared",
    "Recorder",
    "Row",
    "Session",
    "Tx",
    "is_sqlite",
    "open_engine",
    "tenant_table",
]
