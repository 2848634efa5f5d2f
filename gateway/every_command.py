"""Every command there is, those included that are given something to work with."""

from collections.abc import Sequence
from typing import cast

from commands.artifact_put import artifact_commands
from commands.channels import Probes, channel_commands
from commands.everything import COMMANDS
from commands.exports import Signer, export_commands
from commands.plugins import Plugins, plugin_commands
from commands.registry import Command
from commands.run_secrets import run_secret_commands
from commands.run_start import start_commands
from commands.secrets import secret_commands
from commands.spec_tasks import spec_task_commands
from commands.subscription_create import subscription_commands
from commands.subscription_deliveries import delivery_commands
from commands.template_runs import template_commands
from commands.webhooks import webhook_commands
from commands.workspaces import ConsentUrl, workspace_commands
from core.hooks.subscriptions.checks import UrlRules
from core.runs.artifacts.model import LIMITS, Uploads
from core.runs.templates.service import StepCheck
from core.secrets.vault import Vault
from gateway.sent_requests import drawn
from gateway.workers.executors.every import check_step

OUTSIDE = UrlRules()
UNSIGNED = cast(Signer, None)
NO_STEPS = check_step({})
NOWHERE = Uploads(limits=LIMITS, url_of=lambda _tenant, _artifact: "")


def every_command(  # noqa: PLR0913 - one parameter for each thing they work with
    vault: Vault,
    probes: Probes,
    plugins: Plugins,
    consent_url: ConsentUrl | None = None,
    *,
    urls: UrlRules = OUTSIDE,
    uploads: Uploads = NOWHERE,
    check: StepCheck = NO_STEPS,
    downloads: Signer = UNSIGNED,
) -> Sequence[Command]:
    """List all commands; `vault` seals their secrets, `probes` look outside for them.

    Shape:  with `consent_url`, where workspaces let the app in, there is one more.
            `plugins` knows which there are.
            `urls` say where subscriptions may send, `uploads` where contents come in.
            `check` refuses steps that no executor here could do. `downloads` signs
            links to exports.
    """
    return (
        *COMMANDS,
        *export_commands(downloads),
        *channel_commands(probes),
        *webhook_commands(vault),
        *subscription_commands(vault, urls),
        *delivery_commands(drawn),
        *workspace_commands(vault, consent_url),
        *secret_commands(vault),
        *plugin_commands(plugins),
        *artifact_commands(uploads),
        *start_commands(check),
        *run_secret_commands(vault),
        *spec_task_commands(check),
        *template_commands(check),
    )


def described_commands() -> Sequence[Command]:
    """List all commands to be described; none of these can be run."""
    return every_command(cast(Vault, None), cast(Probes, None), cast(Plugins, None))
