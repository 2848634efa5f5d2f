"""`ops shell`: talk to a gateway."""

import click

from gateway.cli.exits import Exit
from gateway.cli.shell import repl
from gateway.cli.terminal import Terminal


@click.command()
@click.pass_obj
def shell(terminal: Terminal) -> Exit:
    """Open a prompt with completion (Tab), history (Up, Ctrl-R) and live replies.

    `1` runs action [1] of the last reply, Ctrl-C cancels what runs, Ctrl-D leaves.
    """
    if not terminal.source.isatty():
        raise click.UsageError(
            "the shell needs a terminal; for lines from a pipe: ops -"
        )
    return repl.run(terminal)
