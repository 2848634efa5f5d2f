"""The shapes of what webhook commands answer, and how they are filled in."""

from dataclasses import asdict
from typing import Any

from typing_extensions import TypedDict

from core.database import Tx
from core.hooks.model import Endpoint, PayloadMap, path_of
from core.identity.users import service as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json


class WebhookRuleData(TypedDict):
    """One command that deliveries may become, and how its arguments are found."""

    command: str
    arguments: dict[str, str]
    fixed: dict[str, Any]
    templates: dict[str, str]
    filter: str
    each: str


class WebhookData(TypedDict):
    """An endpoint and its rules; never its secret."""

    id: str
    name: str
    path: str
    auth: str
    rules: list[WebhookRuleData]
    callback: str
    created_at: str
    created_by: str
    previous_secret_until: str | None


class WebhookSecretData(WebhookData):
    """An endpoint with its secret, which is shown only now; "" when it takes keys."""

    secret: str


class WebhookPageData(TypedDict):
    """A page of endpoints, the oldest first."""

    items: list[WebhookData]
    next: str | None


def view_of(tx: Tx, endpoint: Endpoint) -> dict[str, Json]:
    """Show an endpoint without its secret."""
    until = endpoint.previous_until
    is_rotating = until is not None and tx.now < until
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "path": path_of(tx.tenant, endpoint.name),
        "auth": endpoint.auth.value,
        "rules": [asdict(each) for each in endpoint.rules],
        "callback": endpoint.callback,
        "created_at": to_iso(endpoint.created_at),
        "created_by": _maker(tx, endpoint),
        "previous_secret_until": to_iso(until) if until and is_rotating else None,
    }


def _maker(tx: Tx, endpoint: Endpoint) -> str:
    """Name who made it; "" for the one that everybody has."""
    if endpoint.is_built_in:
        return ""
    return users.get_(tx, endpoint.creator_id).name


def written(payload_map: PayloadMap) -> str:
    """Write a map for people, one argument per line."""
    lines = [payload_map.command]
    lines += [f"  {name} = {path}" for name, path in payload_map.arguments.items()]
    lines += [f'  {name} = "{text}"' for name, text in payload_map.templates.items()]
    lines += [f"  {name} is {value!r}" for name, value in payload_map.fixed.items()]
    lines += [f"each {payload_map.each}"] if payload_map.each else []
    lines += [f"if {payload_map.filter}"] if payload_map.filter else []
    return "\n".join(lines)
