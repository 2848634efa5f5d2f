"""`ops completion`: complete `ops` in bash, zsh and fish, live ids included."""

import asyncio
from collections.abc import Sequence

import click

from core.kernel.problems import Problem
from gateway.cli.app import VERBS
from gateway.cli.line import to_line
from gateway.cli.session import credential_of
from gateway.cli.shell.link import Link
from gateway.cli.terminal import Terminal

_SECONDS = 2.0

_SCRIPTS = {
    "bash": """\
_ops() {
    local IFS=$'\\n'
    COMPREPLY=($(ops completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _ops ops
""",
    "zsh": """\
#compdef ops
_ops() {
    local -a found
    found=("${(@f)$(ops completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a found
}
compdef _ops ops
""",
    "fish": """\
complete -c ops -f -a '(ops completion words -- (commandline -opc)[2..] (commandline -ct))'
""",
}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("shell", type=click.Choice([*_SCRIPTS, "words"]))
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def completion(terminal: Terminal, shell: str, words: tuple[str, ...]) -> None:
    """Print the script for a SHELL: `source <(ops completion bash)`.

    `words` is for the scripts: it prints what the last of the WORDS may become.
    """
    if shell != "words":
        terminal.print(_SCRIPTS[shell])
        return
    found = [*_local(words), *asyncio.run(_remote(terminal, words))]
    terminal.print("".join(f"{each}\n" for each in dict.fromkeys(found)))


def _local(words: Sequence[str]) -> list[str]:
    begun = words[0] if words else ""
    return [name for name in VERBS if len(words) <= 1 and name.startswith(begun)]


async def _remote(terminal: Terminal, words: Sequence[str]) -> list[str]:
    """Ask the gateway, for a moment; a shell must not hang on Tab."""
    *before, last = words or ("",)
    line = f"{to_line(before)} {last}".lstrip()
    link = Link(
        url=terminal.url, credential=credential_of(terminal), tell=lambda _: None
    )
    try:
        async with asyncio.timeout(_SECONDS):
            items = await link.ask_once(line)
    except (TimeoutError, Problem):
        return []
    return [str(item["text"]) for item in items if str(item["text"]).startswith(last)]
