"""`ops seed`: post the backlog."""

import click

from gateway import seed as backlog
from gateway.cli.exits import Exit
from gateway.cli.remote import reply_of
from gateway.cli.session import client_of
from gateway.cli.terminal import Terminal


@click.command()
@click.pass_obj
def seed(terminal: Terminal) -> Exit:
    """Post the backlog as tasks T-100 to T-105 and T-200 to T-204.

    Tasks that are there already stay as they are.
    """
    client = client_of(terminal)
    outcomes = backlog.run(
        lambda body: reply_of(client.post("/v1/commands", body), client.url)
    )
    for outcome in outcomes:
        terminal.say(f"{outcome.task_id}: {outcome.summary}")
        if not outcome.is_there:
            return Exit.FAILED
    return Exit.OK
