"""Grades a channel: `python -m channels.testing.conformance path/to/quality.toml`."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from channels.base import ChannelSpec
from channels.testing.conformance.proofs import Proofs, graded, root_of
from channels.testing.conformance.scale import SCALE, Criterion, Quality


@click.command()
@click.argument("quality", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--spec",
    default="",
    metavar="MODULE:NAME",
    help="Where the channel's ChannelSpec is; channels.<name>:SPEC unless given.",
)
def main(quality: Path, spec: str) -> None:
    """Say what a channel shows, and which level it reaches.

    Ends with 1 when that is not the level that it declares.
    """
    sys.path.insert(0, str(root_of(quality)))
    try:
        declared, reached = graded(quality, found := _spec(spec, quality))
    except ValueError as fault:
        raise click.ClickException(str(fault)) from fault
    for line in _report(declared, found, Proofs(root=root_of(quality))):
        click.echo(line)
    click.echo(
        f"{declared.channel} declares {declared.level.name.lower()}"
        f" and reaches {reached.level.name.lower()}"
    )
    sys.exit(declared.level is not reached.level)


def _spec(named: str, quality: Path) -> ChannelSpec:
    module, _, name = (named or f"channels.{quality.absolute().parent.name}").partition(
        ":"
    )
    found = getattr(import_module(module), name or "SPEC", None)
    if not isinstance(found, ChannelSpec):
        raise click.BadParameter(f"{named} is no ChannelSpec", param_hint="--spec")
    return found


def _report(declared: Quality, spec: ChannelSpec, proofs: Proofs) -> Iterator[str]:
    for level, criteria in SCALE.items():
        for each in criteria:
            if each.is_asked(spec.capabilities):
                said = _said(declared, each, proofs)
                yield f"{level.name.lower():9} {each.name:16} {said}"


def _said(declared: Quality, criterion: Criterion, proofs: Proofs) -> str:
    shown = declared.shown.get(criterion.name, ())
    lost = [each for each in shown if not proofs(each, criterion)]
    if not shown:
        return f"not shown: {criterion.asks}"
    return f"there is no {lost[0]}" if lost else "shown"


if __name__ == "__main__":
    main()
