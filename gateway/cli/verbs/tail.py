"""`ops tail`: follow events, over lost connections and restarts."""

from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlencode

import click
import orjson

from gateway.cli.client import Answer, Client, jitter
from gateway.cli.exits import Exit, exit_of
from gateway.cli.remote import reply_of
from gateway.cli.session import client_of
from gateway.cli.sse import Message, parse_messages
from gateway.cli.terminal import Terminal

PATH = "/collab/events/tail"
# The gateway sends a sign of life every 15 s; silence means that the line is dead.
SILENT_SECONDS = 45.0
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@click.command()
@click.option("--since", default="", help="Begin after this number or time.")
@click.option("--task", default="", help="Only events about this task.")
@click.option("--type", "kind", default="", help="Only events of this type.")
@click.option("--actor", default="", help="Only events by this actor.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many events.")
@click.option(
    "-o", "output", type=click.Choice(["auto", "jsonl", "json"]), default="auto"
)
@click.pass_obj
def tail(
    terminal: Terminal, /, *, limit: int | None, output: str, **wanted: str
) -> Exit:
    """Print events as they happen, one line each; JSON lines with -o jsonl.

    A lost connection is made again, and nothing is lost or repeated. Ctrl-C ends it.
    """
    client = replace(client_of(terminal), read_seconds=SILENT_SECONDS)
    filters = {"type": wanted.pop("kind"), **wanted}
    query = urlencode({name: text for name, text in filters.items() if text})
    path = f"{PATH}?{query}" if query else PATH
    is_json = output != "auto"
    for printed, message in enumerate(follow(client, path, terminal), 1):
        terminal.print(f"{message.data if is_json else to_line(message)}\n")
        if printed == limit:
            return Exit.OK
    return Exit.FAILED


def follow(client: Client, path: str, terminal: Terminal) -> Iterator[Message]:
    """Yield events, connecting again where the last one left off.

    Shape:  endless, unless the gateway refuses; then what it said is shown.
    """
    last_id, failures, least = "", 0, 0.0
    while True:
        try:
            response = _connect(client, path, last_id)
            if response.status != 200 and not _is_passing(client, response, terminal):
                return
            for message in parse_messages(response):
                failures = 0
                last_id = message.id or last_id
                least = message.retry_seconds or least
                if message.event == "reset":
                    terminal.say(
                        "events are missing here: they are older than what is kept"
                    )
                elif message.data:
                    yield message
            response.close()
        except (OSError, HTTPException):
            terminal.say(f"no events from {client.url}; trying again")
        terminal.pause(least + jitter(failures))
        failures += 1


def to_line(message: Message) -> str:
    """Write one event for a person: when, what, about what, by whom."""
    try:
        raw = orjson.loads(message.data)
        when = str(raw["ts"])[:19].replace("T", " ")
        words = (when, raw["event"], raw.get("target"), raw.get("actor"))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return message.data
    return "  ".join(str(word) for word in words if word)


def _connect(client: Client, path: str, last_id: str) -> HTTPResponse:
    headers = {"Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    return client.open(path, headers)


def _is_passing(client: Client, response: HTTPResponse, terminal: Terminal) -> bool:
    """Tell whether a refusal may pass; show it if not."""
    with response:
        body = response.read()
    if response.status in _TRY_AGAIN or (
        response.status == 401 and client.credential.renew()
    ):
        return True
    refusal = reply_of(
        Answer(status=response.status, headers={}, body=body), client.url
    )
    terminal.show(refusal)
    raise click.exceptions.Exit(exit_of(refusal))
