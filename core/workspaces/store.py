"""Queries over workspaces."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.workspaces.model import Consent, Team, Workspace
from core.workspaces.tables import workspace_consents, workspaces

_TABLE = workspaces.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMED = _TABLE.name == bindparam("of")
_ALL = workspaces.select().with_only_columns(
    _TABLE.name,
    _TABLE.token,
    _TABLE.installed_by,
    _TABLE.created_at,
    _TABLE.team_id,
    _TABLE.enterprise_id,
    _TABLE.bot_user_id,
    _TABLE.team_name,
    _TABLE.fault,
)
_BY_NAME = Prepared(_ALL.where(_OWN, _NAMED))
_FIRST = Prepared(_ALL.where(_OWN).order_by(_TABLE.name).limit(bindparam("most")))
_NOTE = Prepared(
    workspaces.update()
    .where(_OWN, _NAMED)
    .values(
        team_id=bindparam("team_id_now"),
        enterprise_id=bindparam("enterprise_id_now"),
        bot_user_id=bindparam("bot_user_id_now"),
        team_name=bindparam("team_name_now"),
        fault=bindparam("fault_now"),
    )
)
_DELETE = Prepared(workspaces.delete().where(_OWN, _NAMED))

_CONSENTS = workspace_consents.c
_ITS_OWN = _CONSENTS.tenant_id == bindparam("tenant")
_OPEN = (
    _ITS_OWN,
    _CONSENTS.hash == bindparam("hashed"),
    _CONSENTS.expires_at > bindparam("now"),
)
_FIND_CONSENT = Prepared(
    workspace_consents.select()
    .with_only_columns(_CONSENTS.name, _CONSENTS.asked_by)
    .where(*_OPEN)
)
_USE_CONSENT = Prepared(workspace_consents.delete().where(*_OPEN))
_PURGE_CONSENTS = Prepared(
    workspace_consents.delete().where(
        _ITS_OWN, _CONSENTS.expires_at <= bindparam("now")
    )
)


def add(tx: Tx, name: str, *, token: str, installed_by: str) -> None:
    """Store a new workspace; Slack has not been asked about it yet."""
    tx.insert(
        workspaces,
        {
            "name": name,
            "token": token,
            "team_id": "",
            "enterprise_id": "",
            "bot_user_id": "",
            "team_name": "",
            "fault": "",
            "installed_by": installed_by,
        },
    )


def find(tx: Tx, name: str) -> Workspace | None:
    """Find a workspace by its name."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_workspace(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[Workspace]:
    """List workspaces by name."""
    return [_to_workspace(row) for row in tx.run(_FIRST, most=most)]


def note(tx: Tx, name: str, team: Team | None, fault: str) -> None:
    """Store what Slack said about a token."""
    tx.change(
        _NOTE,
        of=name,
        team_id_now=team.team_id if team else "",
        enterprise_id_now=team.enterprise_id if team else "",
        bot_user_id_now=team.bot_user_id if team else "",
        team_name_now=team.name if team else "",
        fault_now=fault,
    )


def delete(tx: Tx, name: str) -> None:
    """Remove a workspace and its token."""
    tx.change(_DELETE, of=name)


def add_consent(
    tx: Tx, state_hash: str, consent: Consent, *, expires_at: datetime
) -> None:
    """Store an awaited consent, and let go of those that have expired."""
    tx.change(_PURGE_CONSENTS, now=tx.micros)
    tx.insert(
        workspace_consents,
        {
            "hash": state_hash,
            "name": consent.name,
            "asked_by": consent.asked_by,
            "expires_at": to_micros(expires_at),
        },
    )


def find_consent(tx: Tx, state_hash: str) -> Consent | None:
    """Find what is awaited under a state that was not used yet."""
    rows = tx.run(_FIND_CONSENT, hashed=state_hash, now=tx.micros)
    return Consent(name=rows[0][0], asked_by=rows[0][1]) if rows else None


def use_consent(tx: Tx, state_hash: str) -> bool:
    """Use an awaited consent up; guaranteed to be True for one caller only."""
    return tx.change(_USE_CONSENT, hashed=state_hash, now=tx.micros) == 1


def _to_workspace(row: Row) -> Workspace:
    (
        name,
        token,
        installed_by,
        created,
        team_id,
        enterprise_id,
        bot,
        team_name,
        fault,
    ) = row
    team = Team(
        team_id=team_id, enterprise_id=enterprise_id, bot_user_id=bot, name=team_name
    )
    return Workspace(
        name=name,
        token=token,
        installed_by=installed_by,
        created_at=from_micros(created),
        team=team if team_id else None,
        fault=fault,
    )
