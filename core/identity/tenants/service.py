"""Create, get and list tenants.

The default tenant runs the installation: it alone creates tenants and sees them all.
Every other tenant sees itself, and the same NotFound for anything else.
"""

from collections.abc import Sequence

from core.database import Tx
from core.events.service import append
from core.identity.tenants import store
from core.identity.tenants.model import Tenant, is_tenant_id, parse_tenant_id
from core.kernel.principal import DEFAULT_TENANT, TenantId
from core.kernel.problems import AlreadyExists, Forbidden, NotFound
from core.kernel.texts import require_line


def create(tx: Tx, tenant: str, *, name: str = "") -> Tenant:
    """Create a tenant; `name` is for people and defaults to the slug.

    Raises: Forbidden outside the default tenant, AlreadyExists, InvalidArgument.
    """
    tenant_id = parse_tenant_id(tenant)
    if tx.tenant != DEFAULT_TENANT:
        raise Forbidden(
            "tenants are created in the default tenant",
            fix=["ask whoever runs this installation"],
        )
    if store.find(tx, tenant_id) is not None:
        raise AlreadyExists(f"the tenant {tenant_id} exists already")
    store.add(tx, tenant_id, name=require_line("name", name or tenant, limit=80))
    append(tx, "tenant_created", target=tenant_id)
    return get_(tx, tenant_id)


def ensure_default(tx: Tx) -> Tenant:
    """Create the default tenant unless it exists; run at every start."""
    if store.find(tx, DEFAULT_TENANT) is None:
        return create(tx, DEFAULT_TENANT)
    return get_(tx, DEFAULT_TENANT)


def get_(tx: Tx, tenant: str) -> Tenant:
    """Get a tenant that this one may see.

    Raises: NotFound, whether it is absent or another's.
    """
    is_visible = is_tenant_id(tenant) and tx.tenant in (DEFAULT_TENANT, tenant)
    found = store.find(tx, TenantId(tenant)) if is_visible else None
    if found is None:
        raise NotFound(f"the tenant {tenant[:40]}")
    return found


def list_(tx: Tx) -> Sequence[Tenant]:
    """List the tenants that this one may see, by slug."""
    if tx.tenant == DEFAULT_TENANT:
        return store.list_all(tx)
    own = store.find(tx, tx.tenant)
    return [own] if own else []
