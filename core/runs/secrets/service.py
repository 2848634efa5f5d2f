"""Set, list and delete the secrets of runs, and open those that a run's steps name."""

from collections.abc import Collection, Mapping, Sequence

from core.database import Tx
from core.events.service import append
from core.kernel.principal import TenantId
from core.kernel.problems import Conflict
from core.runs.model import Run
from core.runs.secrets import store
from core.runs.secrets.model import (
    MOST_SECRETS,
    RunSecret,
    parse_name,
    parse_value,
    unknown,
)
from core.secrets.model import context_of
from core.secrets.vault import Vault

COLLECTION = "run_secrets"


def set_(tx: Tx, name: str, value: str, *, vault: Vault) -> RunSecret:
    """Keep a secret, sealed; one of that name is replaced.

    Raises: InvalidArgument, Conflict when there are too many.
    """
    parse_name(name)
    parse_value(value)
    is_new = store.find(tx, name) is None
    if is_new and len(list_(tx)) == MOST_SECRETS:
        raise Conflict(
            f"there are {MOST_SECRETS} secrets already",
            fix=["secret list", "secret delete <name>"],
        )
    sealed = vault.seal(value.encode(), context=_context(tx.tenant, name))
    store.put(tx, name, sealed=sealed)
    tx.bump(COLLECTION)
    append(tx, "secret_set", target=name, is_new=is_new)
    return get_(tx, name)


def get_(tx: Tx, name: str) -> RunSecret:
    """Get what is known of a secret.

    Raises: NotFound.
    """
    found = store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx) -> Sequence[RunSecret]:
    """List all secrets by name."""
    return store.list_(tx, most=MOST_SECRETS)


def delete(tx: Tx, name: str) -> RunSecret:
    """Remove a secret; runs that name it fail from then on.

    Raises: NotFound.
    """
    found = get_(tx, name)
    store.delete(tx, name)
    tx.bump(COLLECTION)
    append(tx, "secret_deleted", target=name)
    return found


def missing(tx: Tx, names: Collection[str]) -> Collection[str]:
    """Name those that there are not."""
    return set(names).difference(store.names_among(tx, sorted(names)))


def secrets_of(tx: Tx, vault: Vault, run: Run) -> Mapping[str, str]:
    """Open the secrets that a run's steps name, by their stored names.

    Shape:  those that there are; whoever holds the run says what is missing.
    Raises: SealBroken.
    """
    names = {name for step in run.steps for name in step.secrets.values()}
    found = store.sealed(tx, sorted(names))
    return {
        name: vault.open_(sealed, context=_context(tx.tenant, name)).decode()
        for name, sealed in found.items()
    }


def _context(tenant: TenantId, name: str) -> str:
    return context_of(tenant, "run_secrets", row=name, field="sealed")
