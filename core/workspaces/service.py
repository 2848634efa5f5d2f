"""Add, list, remove workspaces, and open the token of one."""

from collections.abc import Sequence

from core.database import Tx
from core.events.service import append
from core.identity.logins.model import hash_token, new_token
from core.kernel.principal import TenantId
from core.kernel.problems import AlreadyExists, Conflict
from core.kernel.texts import require_line
from core.secrets.model import context_of
from core.secrets.vault import Vault
from core.workspaces import store
from core.workspaces.model import (
    CONSENT_TTL,
    Consent,
    Team,
    Workspace,
    consent_refused,
    parse_name,
    parse_token,
    unknown,
)

_COLLECTION = "workspaces"
MOST = 100
_FAULT_CHARS = 200


def add(tx: Tx, name: str, token: str, *, vault: Vault) -> Workspace:
    """Keep the bot token of a workspace, sealed; the name must be free.

    Raises: AlreadyExists, InvalidArgument for what is no name or no bot token,
            Conflict when there are a hundred.
    """
    parse_name(name)
    parse_token(token)
    _require_free(tx, name)
    if len(store.list_(tx, most=MOST)) == MOST:
        raise Conflict(f"there are {MOST} workspaces already", fix=["workspace remove"])
    sealed = vault.seal(token.encode(), context=_context(tx.tenant, name))
    store.add(tx, name, token=sealed, installed_by=tx.principal.name)
    tx.bump(_COLLECTION)
    append(tx, "workspace_added", target=name)
    return get_(tx, name)


def await_consent(tx: Tx, name: str) -> str:
    """Make the state with which Slack will tell that a workspace agreed, once.

    Raises: AlreadyExists, InvalidArgument for what is no name.
    """
    parse_name(name)
    _require_free(tx, name)
    state = new_token(tx.tenant)
    consent = Consent(name=name, asked_by=tx.principal.name)
    store.add_consent(tx, hash_token(state), consent, expires_at=tx.now + CONSENT_TTL)
    append(tx, "workspace_consent_awaited", target=name)
    return state


def find_consent(tx: Tx, state: str) -> Consent | None:
    """Find what is awaited under a state, without using it up."""
    return store.find_consent(tx, hash_token(state))


def use_consent(tx: Tx, state: str) -> Consent:
    """Use a state up; whatever comes of it, it counts no second time.

    Raises: Unauthenticated when it is used, expired or unknown.
    """
    consent = find_consent(tx, state)
    if consent is None or not store.use_consent(tx, hash_token(state)):
        raise consent_refused()
    return consent


def get_(tx: Tx, name: str) -> Workspace:
    """Get a workspace by its name.

    Raises: NotFound.
    """
    found = store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx) -> Sequence[Workspace]:
    """List the workspaces of a tenant by name; there are a hundred at most."""
    return store.list_(tx, most=MOST)


def note(tx: Tx, name: str, *, team: Team | None, fault: str = "") -> None:
    """Keep what Slack said when it was asked with a workspace's token.

    Shape:  a team once known stays known when a later call fails.
    Raises: NotFound when it was removed meanwhile.
    """
    known = get_(tx, name)
    shown = require_line(
        "fault", " ".join(fault.split())[:_FAULT_CHARS], limit=200, least=0
    )
    if (team or known.team, shown) == (known.team, known.fault):
        return
    store.note(tx, name, team or known.team, shown)
    tx.bump(_COLLECTION)
    if team is not None and known.team != team:
        append(tx, "workspace_connected", target=name, team=team.team_id)


def remove(tx: Tx, name: str) -> Workspace:
    """Forget a workspace and its token.

    Raises: NotFound.
    """
    workspace = get_(tx, name)
    store.delete(tx, name)
    tx.bump(_COLLECTION)
    append(tx, "workspace_removed", target=name)
    return workspace


def open_token(workspace: Workspace, tenant: TenantId, *, vault: Vault) -> str:
    """Open a workspace's bot token.

    Raises: SealBroken when it was moved or changed, or its key is gone.
    """
    context = _context(tenant, workspace.name)
    return vault.open_(workspace.token, context=context).decode()


def _require_free(tx: Tx, name: str) -> None:
    if store.find(tx, name) is not None:
        raise AlreadyExists(
            f"the workspace {name} exists already", fix=[f"workspace remove {name}"]
        )


def _context(tenant: TenantId, name: str) -> str:
    return context_of(tenant, "workspaces", row=name, field="token")
