"""`ops webhook listen`: the last deliveries to a webhook, then new ones as they come."""

from dataclasses import replace
from urllib.parse import urlencode

import click
import orjson

from gateway.cli.exits import Exit, exit_of
from gateway.cli.line import quote
from gateway.cli.remote import send_line
from gateway.cli.session import client_of
from gateway.cli.sse import Message
from gateway.cli.terminal import Terminal
from gateway.cli.verbs.tail import PATH, SILENT_SECONDS, follow

_MOST_CHARS = 80


@click.command()
@click.argument("webhook")
@click.option("--last", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Stop after so many new ones.")
@click.option(
    "-o", "output", type=click.Choice(["auto", "jsonl", "json"]), default="auto"
)
@click.pass_obj
def listen(
    terminal: Terminal, /, *, webhook: str, last: int, limit: int | None, output: str
) -> Exit:
    """Print the deliveries to WEBHOOK, an id or a name, as they come in.

    One line each; JSON lines with -o jsonl. Nothing is lost or repeated over a lost
    connection. Ctrl-C ends it.
    """
    client = replace(client_of(terminal), read_seconds=SILENT_SECONDS)
    begun = send_line(client, f"webhook listen {quote(webhook)} --limit {last}")
    is_json = output != "auto"
    if begun.error is not None or not is_json:
        terminal.show(begun)
    if begun.error is not None:
        return exit_of(begun)
    # What came in since that answer is told of first: it names the place it was given at.
    place = {"target": str(begun.data["id"]), "since": str(begun.data["since"])}
    path = f"{PATH}?{urlencode({'type': 'webhook_received', **place})}"
    for printed, message in enumerate(follow(client, path, terminal), 1):
        terminal.print(f"{message.data if is_json else to_line(message)}\n")
        if printed == limit:
            return Exit.OK
    return Exit.FAILED


def to_line(message: Message) -> str:
    """Write one delivery for a person: when, how it ended, how long, what ran."""
    try:
        raw = orjson.loads(message.data)
        told = raw["details"]
        words = (
            str(raw["ts"])[:19].replace("T", " "),
            told["delivery"],
            told["outcome"],
            f"{told['took_ms']} ms",
            _cut(told["command"]),
            told["summary"],
        )
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return message.data
    return "  ".join(str(word) for word in words if word)


def _cut(command: str) -> str:
    return command if len(command) <= _MOST_CHARS else f"{command[: _MOST_CHARS - 1]}…"
