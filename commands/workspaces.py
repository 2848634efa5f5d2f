"""Commands over the chat workspaces that the app is installed into."""

from collections.abc import Sequence
from typing import Annotated

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Secret
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.reply import Reply
from core.secrets.vault import Vault
from core.workspaces import service as workspaces
from core.workspaces.model import Workspace


class WorkspaceData(TypedDict):
    """A workspace; never its token. `team_id` is empty until Slack has answered."""

    id: str
    name: str
    state: str
    team: str
    team_id: str
    fault: str
    installed_by: str
    created_at: str


class WorkspacePageData(TypedDict):
    """All workspaces."""

    items: list[WorkspaceData]
    next: str | None


class _Sealing:
    """The handler that takes a token, and so needs the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def add(
        self,
        ctx: Context,
        name: Annotated[str, Doc("a-z, 0-9 and -; it names the account.")],
        token: Annotated[str, Doc("Its Bot User OAuth Token."), Secret()],
    ) -> Reply:
        """Connect another Slack workspace; its token is kept sealed."""
        added = workspaces.add(ctx.tx, name, token, vault=self._vault)
        return Reply(
            summary=f"Added {added.name}; it connects within seconds",
            blocks=(
                blocks.actions(
                    ("Workspaces", "workspace list"), ("Test", "channel test slack")
                ),
            ),
            data=_view(added),
        )


@command(
    "workspace list",
    scope="channels:read",
    http="GET /v1/workspaces",
    result=WorkspacePageData,
    examples=["workspace list"],
)
def list_(ctx: Context) -> Reply:
    """List the Slack workspaces that were added, and how each fares."""
    found = workspaces.list_(ctx.tx)
    if not found:
        return blocks.empty("No workspaces", ("How to add one", "help workspace add"))
    return Reply(
        summary=blocks.count(len(found), "workspace"),
        blocks=(
            blocks.table(
                ("name", "state", "team", "fault"),
                [
                    (each.name, _state(each), _team_name(each), each.fault)
                    for each in found
                ],
            ),
        ),
        data={"items": list[Json](map(_view, found)), "next": None},
    )


@command(
    "workspace remove",
    scope="channels:write",
    danger="destructive",
    target="workspace",
    http="DELETE /v1/workspaces/{workspace}",
    result=WorkspaceData,
    examples=["workspace remove acme --confirm acme"],
)
def remove(ctx: Context, workspace: str) -> Reply:
    """Forget a workspace and its token; what it sends has no effect from then on."""
    removed = workspaces.remove(ctx.tx, workspace)
    return Reply(summary=f"Removed {removed.name}", data=_view(removed))


def workspace_commands(vault: Vault) -> Sequence[Command]:
    """List these commands; the one that takes a token seals it in `vault`."""
    add = command(
        "workspace add",
        scope="channels:write",
        danger="write",
        http="POST /v1/workspaces",
        status=201,
        result=WorkspaceData,
        examples=["workspace add acme xoxb-0123456789"],
    )(_Sealing(vault).add)
    return add, list_, remove


def _view(workspace: Workspace) -> dict[str, Json]:
    return {
        "id": workspace.name,
        "name": workspace.name,
        "state": _state(workspace),
        "team": _team_name(workspace),
        "team_id": workspace.team.team_id if workspace.team else "",
        "fault": workspace.fault,
        "installed_by": workspace.installed_by,
        "created_at": to_iso(workspace.created_at),
    }


def _state(workspace: Workspace) -> str:
    if workspace.fault:
        return "degraded"
    return "connected" if workspace.team else "connecting"


def _team_name(workspace: Workspace) -> str:
    return workspace.team.name if workspace.team else ""
