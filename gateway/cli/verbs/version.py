"""`ops version`: which Opswire this is."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import click

from gateway.cli.terminal import Terminal


@click.command()
@click.pass_obj
def version(terminal: Terminal) -> None:
    """Print the version of Opswire and of Python."""
    try:
        installed = version_of("opswire")
    except PackageNotFoundError:
        installed = "0.0.0"
    terminal.print(f"ops {installed} (Python {platform.python_version()})\n")
