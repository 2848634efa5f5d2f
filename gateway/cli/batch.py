"""Several commands from standard input, answered with a transcript."""

from collections.abc import Sequence
from typing import Any

import orjson

from core.kernel.ids import random_id
from core.kernel.problems import InvalidArgument, Unavailable
from core.kernel.reply import Reply, reply_from_json
from gateway.cli.exits import Exit, exit_of
from gateway.cli.line import split_options
from gateway.cli.remote import reply_of, show
from gateway.cli.session import client_of
from gateway.cli.terminal import Terminal

_MARKS = {"ok": "done", "running": "running", "needs_confirmation": "unconfirmed"}


def run(words: Sequence[str], terminal: Terminal) -> Exit:
    """Send the lines of standard input as one batch; stop at the first failure.

    Shape:  the exit code is that of the first line that was not simply done.
    Raises: Problem when it could not be sent or its answer cannot be read.
    """
    text = terminal.source.read()
    asked = split_options([each for each in words if each not in ("-", "--keep-going")])
    if asked.words or not text.strip():
        raise InvalidArgument("the commands come from standard input", fix=["ops help"])
    client = client_of(terminal)
    body = {"lines": text, "keep_going": "--keep-going" in words}
    answer = client.post("/v1/commands/batch", body, key=random_id("cli"))
    results = _results(answer.body)
    if results is None:
        reply = reply_of(answer, client.url)
        show(reply, asked, terminal)
        return exit_of(reply)
    if asked.is_native:
        return _transcribe(results, terminal)
    show(Reply(summary="", data={"items": results}), asked, terminal)
    return _worst(results)


def _results(body: bytes) -> list[Any] | None:
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return raw.get("results") if isinstance(raw, dict) else None


def _transcribe(results: Sequence[Any], terminal: Terminal) -> Exit:
    for result in results:
        mark = _MARKS.get(result["outcome"], result["outcome"].replace("_", " "))
        terminal.say(f"{mark}: {result['line']}")
        if "reply" in result:
            terminal.show(_reply(result))
    return _worst(results)


def _worst(results: Sequence[Any]) -> Exit:
    exits = [exit_of(_reply(result)) for result in results if "reply" in result]
    return next((each for each in exits if each is not Exit.OK), Exit.OK)


def _reply(result: Any) -> Reply:
    try:
        return reply_from_json(result["reply"])
    except (KeyError, TypeError, ValueError) as fault:
        raise Unavailable(
            "the gateway answered with something that is no reply", fix=["ops doctor"]
        ) from fault
