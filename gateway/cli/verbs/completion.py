"""`ops completion`: complete `ops` in bash, zsh and fish, live ids included."""

import asyncio
from collections.abc import Sequence

import click

from core.kernel.problems import Problem
from gateway.cli.line import to_line
from gateway.cli.session import credential_of
from gateway.cli.shell.link import Link
from gateway.cli.terminal import Terminal
from gateway.verbs import VERBS

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
    *before, last = _joined(words) or [""]
    line = f"{to_line(before)} {last}".lstrip()
    link = Link(
        url=terminal.url, credential=credential_of(terminal), tell=lambda _: None
    )
    try:
        async with asyncio.timeout(_SECONDS):
            items = await link.ask_once(line)
    except (TimeoutError, Problem):
        return []
    # What stands before the place of a completion, such as `--status=`, stays.
    kept = len(line) - len(last)
    found = [f"{line[kept : int(each['start'])]}{each['text']}" for each in items]
    fitting = [each for each in found if each.casefold().startswith(last.casefold())]
    return [_as_split(each, words) for each in fitting]


def _joined(words: Sequence[str]) -> list[str]:
    """Join what bash parted at an equals sign: `--status`, `=`, `rev`."""
    joined: list[str] = []
    before = ""
    for word in words:
        if joined and "=" in (word, before):
            joined[-1] += word
        else:
            joined.append(word)
        before = word
    return joined


def _as_split(found: str, words: Sequence[str]) -> str:
    """Leave out what bash does not replace, the part up to the equals sign."""
    is_split = "=" in words[-2:]
    return found.partition("=")[2] if is_split else found
