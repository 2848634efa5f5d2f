"""The command by which a worker reads the secrets that the steps of its run name."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_calls import Fence, RunId
from core.kernel.reply import Reply
from core.runs import calls
from core.runs.secrets import service as secrets
from core.secrets.vault import Vault


class RunSecretsData(TypedDict):
    """Secrets by the names under which they are kept; those that there are."""

    secrets: dict[str, str]


def run_secret_commands(vault: Vault) -> Sequence[Command]:
    """Build the command; `vault` opens what is sealed."""

    @command(
        "run secrets",
        scope="runs:work",
        danger="write",
        http="POST /runs.secrets",
        target="run_id",
        hides=("secrets",),
        result=RunSecretsData,
        examples=["run secrets R-7 --fence 3"],
    )
    def reveal(ctx: Context, run_id: RunId, *, fence: Fence) -> Reply:
        """Read the kept secrets that the steps of a run name; only its worker may."""
        run = calls.require_held(ctx.tx, run_id, fence)
        opened = secrets.secrets_of(ctx.tx, vault, run)
        return Reply(
            summary=f"{run.id} is given {blocks.count(len(opened), 'secret')}",
            data={"secrets": dict(opened)},
        )

    return (reveal,)
