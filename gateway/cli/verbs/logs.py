"""`ops run logs R-7 --follow`: what a run prints, until it is over."""

from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

import click
import orjson

from gateway.cli.exits import Exit
from gateway.cli.session import client_of
from gateway.cli.terminal import Terminal
from gateway.cli.verbs.tail import SILENT_SECONDS, follow

_END = "end"


@click.command()
@click.argument("run")
@click.option("--step", default="", help="What this step prints, nothing else.")
@click.option(
    "--tail", type=click.IntRange(1, 1000), default=50, help="Begin so far back."
)
@click.option("--follow", is_flag=True, help="Go on as more comes, as said.")
@click.option(
    "-o", "output", type=click.Choice(["auto", "jsonl", "json"]), default="auto"
)
@click.pass_obj
def logs(
    terminal: Terminal, /, *, run: str, output: str, follow: bool, **wanted: str
) -> Exit:
    """Print what RUN prints, as it prints it; JSON lines with -o jsonl.

    A lost connection is made again, and nothing is lost or repeated. It ends with the
    run, and fails if that did.
    """
    del follow
    given = {name: text for name, text in wanted.items() if text}
    path = f"/v1/runs/{quote(run, safe='')}/logs?" + urlencode(
        {"follow": "true", **given}
    )
    return _print(terminal, path, is_json=output != "auto")


@dataclass(slots=True)
class _Page:
    """What was printed here; lines of one step never go on in another's."""

    terminal: Terminal
    source: tuple[str, str] = ("", "")
    is_open: bool = field(default=False, init=False)

    def add(self, step: str, stream: str, text: str) -> None:
        """Print a piece of what a step printed."""
        if self.is_open and (step, stream) != self.source:
            self.terminal.print("\n")
        self.source, self.is_open = (step, stream), not text.endswith("\n")
        self.terminal.print(text)


def _print(terminal: Terminal, path: str, *, is_json: bool) -> Exit:
    client = replace(client_of(terminal), read_seconds=SILENT_SECONDS)
    page = _Page(terminal)
    for message in follow(client, path, terminal):
        told = orjson.loads(message.data)
        if message.event == _END:
            return _ended(terminal, str(told["status"]))
        if is_json:
            terminal.print(f"{message.data}\n")
        else:
            page.add(str(told["step"]), str(told["stream"]), str(told["text"]))
    return Exit.FAILED


def _ended(terminal: Terminal, status: str) -> Exit:
    terminal.say(f"the run has ended: {status}")
    return Exit.OK if status == "succeeded" else Exit.FAILED
