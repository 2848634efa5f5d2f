"""`ops export slack-manifest`: write what another system needs to know about this one."""

import json

import click
import yaml

from channels.slack.manifest import build_manifest
from gateway.cli.terminal import Terminal


@click.group()
def export() -> None:
    """Write what another system needs to know about this one."""


@export.command("slack-manifest")
@click.option("--name", default="Opswire", show_default=True, help="The app's name.")
@click.option(
    "--url",
    default="",
    help="Where Slack reaches this gateway (https://…); without it, over Socket Mode.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "yaml"]),
    default="yaml",
    show_default=True,
    help="Slack takes both.",
)
@click.pass_obj
def slack_manifest(terminal: Terminal, *, name: str, url: str, output: str) -> None:
    """Write the manifest from which Slack makes the app, with all it asks for."""
    if url and not url.startswith("https://"):
        raise click.BadParameter("Slack wants https://…", param_hint="--url")
    manifest = build_manifest(name=name, url=url)
    if output == "json":
        terminal.print(json.dumps(manifest, indent=2) + "\n")
    else:
        terminal.print(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True))
