"""Create, find, rotate and delete webhook endpoints, and say in whose name they run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.database import Tx
from core.events.service import append
from core.hooks import mapping, store
from core.hooks.model import (
    ECHO,
    LONGEST_OVERLAP,
    OVERLAP,
    Endpoint,
    HookAuth,
    NewEndpoint,
    PayloadMap,
    Vault,
    echo,
    parse_name,
    unknown,
)
from core.hooks.proofs import make_secret, require_secret, signing_key
from core.identity.scopes import meet
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.clock import to_iso
from core.kernel.ids import WebhookId, number_of
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.principal import Assurance, Principal, TenantId
from core.kernel.problems import (
    AlreadyExists,
    Forbidden,
    IllegalMove,
    InvalidArgument,
)
from core.secrets.model import context_of

RULES_LIMIT = 10


def create(  # noqa: PLR0913 - what an endpoint is made of
    tx: Tx,
    name: str,
    rules: Sequence[PayloadMap],
    *,
    auth: HookAuth,
    vault: Vault,
    callback: str = "",
    secret: str | None = None,
) -> NewEndpoint:
    """Make an endpoint that runs commands in the caller's name.

    Shape:  `secret` is one that the sender chose; None makes one for a signed endpoint,
            which is told only now.
    Raises: AlreadyExists, InvalidArgument for a bad name, expression or secret,
            NotFound when the caller is no user, for nobody could then be asked whether
            it still may.
    """
    parse_name(name)
    _check_rules(rules)
    if store.find(tx, name) is not None:
        raise AlreadyExists(f"the webhook {name} exists already", fix=["webhook list"])
    creator = users.get_(tx, tx.principal.id)
    endpoint_id = WebhookId(tx.new_id("W"))
    used = make_secret(auth) if secret is None else require_secret(auth, secret)
    store.add(
        tx,
        Endpoint(
            id=endpoint_id,
            name=name,
            auth=auth,
            rules=tuple(rules),
            creator_id=creator.id,
            creator_scopes=tx.principal.scopes,
            created_at=tx.now,
            callback=callback,
            secret=_seal(vault, tx.tenant, endpoint_id, used) if used else "",
        ),
    )
    tx.bump("webhooks")
    append(
        tx,
        "webhook_created",
        target=endpoint_id,
        name=name,
        auth=auth.value,
        commands=[each.command for each in rules],
    )
    made = used if secret is None else ""
    return NewEndpoint(endpoint=get_(tx, endpoint_id), secret=made)


def get_(tx: Tx, reference: str) -> Endpoint:
    """Get an endpoint by its id or its name; every tenant has one named `echo`.

    Raises: NotFound.
    """
    found = store.find(tx, reference)
    if found is not None:
        return found
    if reference == ECHO:
        return echo()
    raise unknown(reference)


def list_(tx: Tx, *, limit: int = PAGE_LIMIT, cursor: str = "") -> Page[Endpoint]:
    """List endpoints in the order they were made.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    found = store.list_after(tx, after, most=page_size(limit) + 1)
    items = found[:limit]
    last = number_of(items[-1].id, "W") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def rotate(
    tx: Tx,
    reference: str,
    *,
    vault: Vault,
    overlap: timedelta = OVERLAP,
    secret: str | None = None,
) -> NewEndpoint:
    """Give a signed endpoint a new secret; the old one counts for `overlap` longer.

    Shape:  `secret` is one that the sender chose; None makes one, told only now.
    Raises: NotFound, IllegalMove when it has no secret, InvalidArgument.
    """
    endpoint = _get_made(tx, reference)
    if endpoint.auth is HookAuth.KEY:
        raise IllegalMove(
            f"{endpoint.id} takes API keys and has no secret", fix=["key rotate"]
        )
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidArgument(
            "the overlap is not possible",
            fix=["use 0 s to 30 days"],
            argument="overlap",
        )
    auth, until = endpoint.auth, tx.now + overlap
    used = make_secret(auth) if secret is None else require_secret(auth, secret)
    sealed = _seal(vault, tx.tenant, endpoint.id, used)
    store.rotate(tx, endpoint.id, new=sealed, old=endpoint.secret, until=until)
    tx.bump("webhooks")
    append(tx, "webhook_rotated", target=endpoint.id, until=to_iso(until))
    made = used if secret is None else ""
    return NewEndpoint(endpoint=get_(tx, endpoint.id), secret=made)


def set_rules(tx: Tx, reference: str, rules: Sequence[PayloadMap]) -> Endpoint:
    """Have an endpoint's deliveries become something else, in the caller's name.

    Raises: NotFound, also when the caller is no user; InvalidArgument for a bad rule;
            IllegalMove for the one that everybody has.
    """
    endpoint = _get_made(tx, reference)
    _check_rules(rules)
    changed = replace(
        endpoint,
        rules=tuple(rules),
        creator_id=users.get_(tx, tx.principal.id).id,
        creator_scopes=tx.principal.scopes,
    )
    store.set_rules(tx, changed)
    tx.bump("webhooks")
    append(
        tx,
        "webhook_changed",
        target=endpoint.id,
        name=endpoint.name,
        commands=[each.command for each in rules],
    )
    return changed


def delete(tx: Tx, reference: str) -> Endpoint:
    """Remove an endpoint; what it has received stays on record.

    Raises: NotFound; IllegalMove for the one that everybody has.
    """
    endpoint = _get_made(tx, reference)
    store.delete(tx, endpoint.id)
    tx.bump("webhooks")
    append(tx, "webhook_deleted", target=endpoint.id, name=endpoint.name)
    return endpoint


def owner_of(tx: Tx, endpoint: Endpoint) -> Principal:
    """Say in whose name an endpoint runs now: its creator, with what is left of the
    rights from when it was made.

    Shape:  nobody made the one that everybody has, which runs nothing.
    Raises: Forbidden when the creator may do nothing any more.
    """
    if endpoint.is_built_in:
        return Principal(id="", name="nobody", tenant=tx.tenant, linked=False)
    creator = users.get_(tx, endpoint.creator_id)
    if not creator.is_active:
        raise Forbidden(
            f"{creator.name}, who made {endpoint.id}, is disabled",
            fix=["make the webhook again in another name"],
        )
    scopes = meet(endpoint.creator_scopes, creator.scopes)
    return to_principal(creator, Assurance.SECRET, scopes=scopes)


def open_keys(
    endpoint: Endpoint, tenant: TenantId, *, vault: Vault, now: datetime
) -> Sequence[bytes]:
    """Open the keys that a delivery may be signed with at this moment.

    Raises: Unavailable when a secret cannot be opened or is as good as none.
    """
    sealed = [endpoint.secret]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        sealed.append(endpoint.previous_secret)
    context = _context(tenant, endpoint.id)
    secrets = [vault.open_(each, context=context).decode() for each in sealed]
    return [signing_key(endpoint.auth, each) for each in secrets]


def _get_made(tx: Tx, reference: str) -> Endpoint:
    """Get an endpoint that somebody made, and may change."""
    endpoint = get_(tx, reference)
    if endpoint.is_built_in:
        raise IllegalMove(
            f"the webhook {endpoint.name} is there for everybody and runs nothing",
            fix=["webhook list", f"webhook deliveries {endpoint.name}"],
        )
    return endpoint


def _check_rules(rules: Sequence[PayloadMap]) -> None:
    if len(rules) > RULES_LIMIT:
        raise InvalidArgument(
            f"{len(rules)} rules are more than a webhook takes",
            fix=[f"use at most {RULES_LIMIT}", "make another webhook"],
            argument="rules",
        )
    for each in rules:
        mapping.check(each)


def _seal(vault: Vault, tenant: TenantId, endpoint_id: WebhookId, secret: str) -> str:
    return vault.seal(secret.encode(), context=_context(tenant, endpoint_id))


def _context(tenant: TenantId, endpoint_id: WebhookId) -> str:
    """One place for both secrets, because a rotation moves the sealed text."""
    return context_of(tenant, "hook_endpoints", row=endpoint_id, field="secret")
