"""The tenant table; a tenant's row is its own."""

from sqlalchemy import Column, Text

from core.database import tenant_table

tenants = tenant_table("tenants", Column("name", Text, nullable=False))
