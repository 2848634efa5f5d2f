"""Where the Slack channel finds its workspaces: the settings' one, then the stored."""

from collections.abc import Sequence

from channels.slack.teams import Identity, Installation
from core.database import Database, Tx
from core.kernel.principal import TenantId, system
from core.kernel.problems import NotFound, SealBroken
from core.secrets.vault import Vault
from core.workspaces import service as workspaces
from core.workspaces.model import (
    DEFAULT_ACCOUNT,
    Team,
    Workspace,
    account_of,
    tenant_of,
)
from gateway.sweeper import list_tenants

_UNREADABLE = (
    "its token cannot be opened any more: remove the workspace and add it again"
)

Stored = tuple[TenantId, Workspace]


class StoredInstallations:
    """The bot tokens of all tenants; those in the database are opened when they change."""

    def __init__(self, db: Database, vault: Vault, *, token: str) -> None:
        self._db = db
        self._vault = vault
        self._token = token
        self._opened: dict[str, str] = {}

    async def list_(self) -> Sequence[Installation]:
        """List them, the oldest first."""
        found = await self._read()
        kept = {workspace.token for _, workspace in found}
        self._opened = {
            sealed: token for sealed, token in self._opened.items() if sealed in kept
        }
        installed = []
        if self._token:
            installed.append(Installation(account=DEFAULT_ACCOUNT, token=self._token))
        for tenant, workspace in found:
            try:
                installed.append(self._installation(tenant, workspace))
            except SealBroken:
                await self.note(account_of(tenant, workspace.name), None, _UNREADABLE)
        return installed

    async def note(self, account: str, identity: Identity | None, fault: str) -> None:
        """Keep what Slack said about one of them."""
        if account == DEFAULT_ACCOUNT:
            return
        tenant = tenant_of(account)
        name = account.rpartition(".")[2]
        team = _team_of(identity)

        def work(tx: Tx) -> None:
            try:
                workspaces.note(tx, name, team=team, fault=fault)
            except NotFound:
                """It was removed meanwhile, and nobody asks any more."""

        await self._db.write(work, by=system(tenant))

    async def _read(self) -> Sequence[Stored]:
        tenants = await self._db.read(list_tenants, by=system())
        found = [
            (tenant, workspace)
            for tenant in tenants
            for workspace in await self._db.read(workspaces.list_, by=system(tenant))
        ]
        return sorted(found, key=lambda each: each[1].created_at)

    def _installation(self, tenant: TenantId, workspace: Workspace) -> Installation:
        token = self._opened.get(workspace.token)
        if token is None:
            token = workspaces.open_token(workspace, tenant, vault=self._vault)
            self._opened[workspace.token] = token
        return Installation(
            account=account_of(tenant, workspace.name),
            token=token,
            identity=_identity_of(workspace.team),
        )


def _team_of(identity: Identity | None) -> Team | None:
    if identity is None:
        return None
    return Team(
        team_id=identity.team_id,
        enterprise_id=identity.enterprise_id,
        bot_user_id=identity.bot_user_id,
        name=identity.name,
    )


def _identity_of(team: Team | None) -> Identity | None:
    """What Slack said before is good enough to take messages in."""
    if team is None:
        return None
    return Identity(
        team_id=team.team_id,
        enterprise_id=team.enterprise_id,
        bot_user_id=team.bot_user_id,
        bot_id="",
        name=team.name,
    )
