"""`ops serve`: run a gateway."""

from pathlib import Path

import click

from gateway.cli.verbs._settings import settings_with
from gateway.server import serve as serve_gateway


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to.",
)
def serve(host: str | None, port: int | None, data: Path | None) -> None:
    """Run a gateway on this machine until Ctrl-C."""
    serve_gateway(settings_with(host=host, port=port, data=data))
