"""`ops key create` before there is any key: run on this machine's own database."""

import asyncio
from collections.abc import Sequence

import click

from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.principal import DEFAULT_TENANT, Assurance, TenantId, system
from core.kernel.reply import Reply
from gateway.bootstrap import build
from gateway.cli.exits import Exit, exit_of
from gateway.cli.line import split_options
from gateway.cli.remote import show
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with
from gateway.settings import Settings

_CHANNEL = "cli"


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []}
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--tenant", default=DEFAULT_TENANT, help="Whose admin the key is for.")
@click.pass_obj
def key(terminal: Terminal, words: Sequence[str], tenant: str) -> Exit:
    """Run the key command in WORDS as the admin of this machine.

    It takes the one road of every command, so it is authorised and audited like them.
    """
    asked = split_options(["key", *words])
    reply = asyncio.run(run_here(settings_with(), asked.line, TenantId(tenant)))
    show(reply, asked, terminal)
    return exit_of(reply)


async def run_here(
    settings: Settings, line: str, tenant: TenantId = DEFAULT_TENANT
) -> Reply:
    """Run one line on this machine's database as a tenant's admin.

    Raises: Unavailable when the database is not ready for it, NotFound without tenant.
    """
    graph = build(settings)
    try:
        await graph.core.channels.reload()
        await graph.db.read(lambda tx: tenants.get_(tx, tenant), by=system())
        admin = await graph.db.write(users.ensure_admin, by=system(tenant))
        envelope = Envelope(
            channel=_CHANNEL,
            text=line,
            received_at=graph.clock.now(),
            assurance=Assurance.SECRET,
            credential=to_principal(admin, Assurance.SECRET),
        )
        return (await graph.pipeline.handle(envelope)).reply
    finally:
        await graph.stop()
