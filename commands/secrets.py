"""Commands over the secrets that steps of runs are given."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Secret
from commands.secret_views import SecretData, SecretPageData, view_of
from core.kernel.jsons import Json
from core.kernel.reply import Reply
from core.runs.secrets import service as secrets
from core.secrets.vault import Vault


class _Sealing:
    """The handler that takes a secret, and so needs the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def set_(
        self,
        ctx: Context,
        name: Annotated[str, Doc("Letters, digits, _, . and -; such as DEPLOY_KEY.")],
        value: Annotated[str, Doc("The secret, of at least 8 characters."), Secret()],
    ) -> Reply:
        """Keep a secret for the steps that name it; it is never shown again."""
        kept = secrets.set_(ctx.tx, name, value, vault=self._vault)
        return Reply(
            summary=f"Kept the secret {kept.name}",
            blocks=(blocks.actions(("Secrets", "secret list")),),
            data=view_of(kept),
        )


@command(
    "secret list",
    scope="secrets:write",
    http="GET /v1/secrets",
    result=SecretPageData,
    examples=["secret list"],
)
def list_(ctx: Context) -> Reply:
    """List the names of the secrets that steps can be given."""
    found = [view_of(each) for each in secrets.list_(ctx.tx)]
    if not found:
        return blocks.empty("No secrets", ("How to keep one", "help secret set"))
    return Reply(
        summary=blocks.count(len(found), "secret"),
        blocks=(
            blocks.table(
                ("name", "author", "changed"),
                [(each["name"], each["author"], each["changed_at"]) for each in found],
            ),
        ),
        data={"items": list[Json](found), "next": None},
    )


@command(
    "secret delete",
    scope="secrets:write",
    danger="destructive",
    target="secret",
    http="DELETE /v1/secrets/{secret}",
    result=SecretData,
    examples=["secret delete DEPLOY_KEY --confirm DEPLOY_KEY"],
)
def delete(ctx: Context, secret: str) -> Reply:
    """Forget a secret; steps that name it fail from then on."""
    deleted = secrets.delete(ctx.tx, secret)
    return Reply(
        summary=f"Deleted the secret {deleted.name}",
        blocks=(blocks.actions(("Secrets", "secret list")),),
        data=view_of(deleted),
    )


def secret_commands(vault: Vault) -> Sequence[Command]:
    """List these commands; secrets are sealed in `vault`."""
    set_ = command(
        "secret set",
        scope="secrets:write",
        danger="write",
        http="PUT /v1/secrets/{name}",
        result=SecretData,
        examples=["secret set DEPLOY_KEY correct-horse-battery"],
    )(_Sealing(vault).set_)
    return set_, list_, delete
