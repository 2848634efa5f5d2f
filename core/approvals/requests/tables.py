"""The tables of requests for approval and of what people decided."""

from sqlalchemy import BigInteger, Column, Index, Text

from core.database import tenant_table

approval_requests = tenant_table(
    "approval_requests",
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("need", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_approval_requests_number", "tenant_id", "number"),
    Index("ix_approval_requests_status", "tenant_id", "status", "expires_at"),
)

# The key lets one person decide one request once, whatever the code above it does.
approval_votes = tenant_table(
    "approval_votes",
    Column("approval_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
