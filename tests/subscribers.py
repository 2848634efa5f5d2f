"""People who subscribe, and what they subscribe with; for every kind of test."""

from collections.abc import Mapping
from datetime import datetime

from core.database import Database, Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of, Outgoing
from core.events import service as events
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import (
    Attempt,
    NewSubscription,
    Subscription,
    Wanted,
)
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.jsons import Json
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from core.secrets.vault import Vault

ACME = TenantId("acme")
URL = "https://hooks.example.com/opswire"
EVERYTHING = Wanted()


def a_tenant(db: Database, tenant: TenantId = ACME) -> TenantId:
    """Make another tenant."""
    db.run(lambda tx: tenants.create(tx, tenant), by=system())
    return tenant


def a_user(
    db: Database,
    name: str,
    role: Role = Role.OPERATOR,
    *,
    tenant: TenantId | None = None,
) -> Principal:
    """Make a user, beside an admin who may take its rights away."""
    by = system(tenant) if tenant else system()
    db.run(users.ensure_admin, by=by)
    user = db.run(lambda tx: users.create(tx, name, roles=[role]), by=by)
    return to_principal(user, Assurance.SECRET)


def subscribed(
    db: Database,
    by: Principal,
    vault: Vault,
    *,
    name: str = "audit-log",
    url: str = URL,
    wanted: Wanted = EVERYTHING,
) -> NewSubscription:
    """Make a subscription."""
    return db.run(
        lambda tx: subscriptions.create(tx, name, url, wanted=wanted, vault=vault),
        by=by,
    )


def found(db: Database, by: Principal, reference: str = "SB-1") -> Subscription:
    """Read a subscription."""
    return db.look(lambda tx: subscriptions.get_(tx, reference), by=by)


def told(
    db: Database,
    by: Principal,
    event: str,
    *,
    target: str = "",
    details: Mapping[str, Json] | None = None,
) -> None:
    """Have an event happen."""

    def tell(tx: Tx) -> None:
        events.append(tx, event, target=target, **(details or {}))

    db.run(tell, by=by)


def posted(db: Database, by: Principal, account: str = "") -> list[Outgoing]:
    """List what was posted to subscriptions, in its order."""
    of = Of("webhook", account)
    page = db.look(lambda tx: outbox.list_(tx, of=of, limit=100), by=by)
    return [*page.items][::-1]


def tried(
    db: Database,
    by: Principal,
    status: int,
    *,
    key: str = "SB-1:ev:7",
    at: datetime,
    answer: str = "",
    error: str = "",
) -> None:
    """Note that a delivery was tried."""
    attempt = Attempt(
        key=key,
        attempt=1,
        status=status,
        took_ms=12,
        answer=answer,
        error=error,
        tried_at=at,
    )
    subscription_id = key.partition(":")[0]
    db.run(lambda tx: subscriptions.note_attempt(tx, subscription_id, attempt), by=by)
