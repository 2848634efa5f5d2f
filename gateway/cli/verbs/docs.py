"""`ops docs`: write the reference pages from the code that they describe."""

from pathlib import Path

import click

from gateway.cli.exits import Exit
from gateway.cli.terminal import Terminal
from gateway.reference import pages


@click.command()
@click.option(
    "--check", "is_check", is_flag=True, help="Write nothing; fail if they differ."
)
@click.option(
    "--root", type=click.Path(path_type=Path), default=".", help="The checkout."
)
@click.pass_obj
def docs(terminal: Terminal, *, is_check: bool, root: Path) -> Exit:
    """Write docs/reference/*.md and .env.example."""
    changed = pages.stale(root) if is_check else pages.write(root)
    for path in changed:
        terminal.print(f"{'differs' if is_check else 'written'}  {path}\n")
    return Exit.FAILED if is_check and changed else Exit.OK
