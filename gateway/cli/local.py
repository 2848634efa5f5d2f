"""The verbs of this machine, each loaded when it is called for."""

import gc
from collections.abc import Sequence

import click

from gateway.cli.exits import Exit
from gateway.cli.lazy import load
from gateway.cli.terminal import Terminal


def run(words: Sequence[str], terminal: Terminal) -> int:
    """Run the verb `words[0]` with the rest as its arguments; return the exit code.

    Raises: Problem for what a verb of ours refuses.
    """
    name, *args = words
    verb = _loaded(name)
    try:
        code = verb.main(
            args, prog_name=f"ops {name}", standalone_mode=False, obj=terminal
        )
    except click.Abort:
        return Exit.INTERRUPTED
    except click.ClickException as refusal:
        refusal.show(file=terminal.err)
        return refusal.exit_code
    return code if isinstance(code, int) else Exit.OK


def _loaded(name: str) -> click.Command:
    """Load a verb; what that makes stays, so looking for garbage in it only takes time."""
    gc.disable()
    try:
        verb: click.Command = load(f"gateway.cli.verbs.{name}:{name}")
    finally:
        gc.enable()
    return verb
