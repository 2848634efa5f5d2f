"""Queries over tenants."""

from collections.abc import Sequence

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.identity.tenants.model import Tenant
from core.identity.tenants.tables import tenants
from core.kernel.clock import from_micros
from core.kernel.principal import TenantId

_COLUMNS = (tenants.c.tenant_id, tenants.c.name, tenants.c.created_at)
_FIND = Prepared(
    tenants.select()
    .with_only_columns(*_COLUMNS)
    .where(tenants.c.tenant_id == bindparam("of"))
)
_LIST = Prepared(
    tenants.select().with_only_columns(*_COLUMNS).order_by(tenants.c.tenant_id)
)


def add(tx: Tx, tenant_id: TenantId, *, name: str) -> None:
    """Store a tenant; the row belongs to the tenant that it describes."""
    tx.insert(tenants, {"tenant_id": tenant_id, "name": name})


def find(tx: Tx, tenant_id: TenantId) -> Tenant | None:
    """Find a tenant by its slug; the service decides who may look."""
    rows = tx.run(_FIND, of=tenant_id)
    return _to_tenant(rows[0]) if rows else None


def list_all(tx: Tx) -> Sequence[Tenant]:
    """List every tenant; only for the default tenant, which runs the installation."""
    return [_to_tenant(row) for row in tx.run(_LIST)]


def _to_tenant(row: Row) -> Tenant:
    tenant_id, name, created_at = row
    return Tenant(id=TenantId(tenant_id), name=name, created_at=from_micros(created_at))
