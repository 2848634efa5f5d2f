"""Commands over the chat workspaces that the app is installed into."""

from collections.abc import Callable, Sequence
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

ConsentUrl = Callable[[str], str]


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


class WorkspaceConsentData(TypedDict):
    """Where an admin of the workspace consents; the address is shown only now."""

    name: str
    url: str


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


class _Inviting:
    """The handler that needs the address at which Slack asks for consent."""

    def __init__(self, consent_url: ConsentUrl) -> None:
        self._consent_url = consent_url

    def install(
        self,
        ctx: Context,
        name: Annotated[str, Doc("a-z, 0-9 and -; it names the account.")],
    ) -> Reply:
        """Make an address at which an admin of a workspace lets the app in, once."""
        url = self._consent_url(workspaces.await_consent(ctx.tx, name))
        return Reply(
            summary=f"An admin of {name} can let the app in for 15 minutes",
            blocks=(blocks.fields(("open", url)),),
            data={"name": name, "url": url},
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


def workspace_commands(
    vault: Vault, consent_url: ConsentUrl | None = None
) -> Sequence[Command]:
    """List these commands.

    Shape:  tokens are sealed in `vault`; `consent_url` writes the address at which
            Slack asks for consent. Without it nothing is installed that way.
    """
    add = command(
        "workspace add",
        scope="channels:write",
        danger="write",
        http="POST /v1/workspaces",
        status=201,
        result=WorkspaceData,
        examples=["workspace add acme xoxb-0123456789"],
    )(_Sealing(vault).add)
    if consent_url is None:
        return add, list_, remove
    install = command(
        "workspace install",
        scope="channels:write",
        danger="write",
        http="POST /v1/workspaces/install",
        result=WorkspaceConsentData,
        hides=("url",),
        examples=["workspace install acme"],
    )(_Inviting(consent_url).install)
    return add, install, list_, remove


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
