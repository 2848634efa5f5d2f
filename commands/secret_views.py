"""How the secrets of runs are shown: never what they are."""

from typing_extensions import TypedDict

from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.runs.secrets.model import RunSecret


class SecretData(TypedDict):
    """What is known of a secret."""

    id: str
    name: str
    author: str
    created_at: str
    changed_at: str


class SecretPageData(TypedDict):
    """Secrets by name."""

    items: list[SecretData]
    next: str | None


def view_of(secret: RunSecret) -> dict[str, Json]:
    """Show what is known of a secret."""
    return {
        "id": secret.name,
        "name": secret.name,
        "author": secret.author,
        "created_at": to_iso(secret.created_at),
        "changed_at": to_iso(secret.changed_at),
    }
