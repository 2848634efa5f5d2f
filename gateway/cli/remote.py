"""One command of a gateway, from the words of a shell to an exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from core.kernel.ids import random_id
from core.kernel.problems import Problem, Unavailable
from core.kernel.reply import (
    ErrorBlock,
    ErrorInfo,
    Fields,
    Reply,
    ReplyStatus,
    reply_from_json,
)
from gateway.cli import waiting
from gateway.cli.client import Answer, Client
from gateway.cli.exits import Exit, exit_of
from gateway.cli.lazy import load
from gateway.cli.line import Asked, quote, split_options
from gateway.cli.session import client_of
from gateway.cli.terminal import Terminal

_FORMAT_DATA = "channels.terminal.formats:format_data"
_REQUIRE_FORMAT = "channels.terminal.formats:require_format"
_MACHINE = ("json", "jsonl", "yaml")


def run(words: Sequence[str], terminal: Terminal) -> Exit:
    """Send one command, ask for consent where it is needed, show what came back.

    Raises: Problem when it could not be sent or its answer cannot be read.
    """
    asked = split_options(words)
    if not asked.is_native:
        # A command must not take effect whose answer could not be shown.
        load(_REQUIRE_FORMAT)(asked.output, asked.query)
    client = client_of(terminal)
    reply = send_line(client, asked.line)
    if reply.status is ReplyStatus.NEEDS_CONFIRMATION:
        if _is_declined(client, asked, reply, terminal):
            return Exit.UNCONFIRMED
        reply = _confirmed(client, asked, reply, terminal)
    if asked.wait_seconds and waiting.is_followed(reply):
        return _ended(client, asked, reply, terminal)
    show(reply, asked, terminal)
    return exit_of(reply)


def send_line(client: Client, line: str) -> Reply:
    """Send one line; whatever happens on the way, it takes effect at most once.

    Raises: Unavailable when no gateway answers, or something that is none.
    """
    answer = client.post("/v1/commands", {"line": line}, key=random_id("cli"))
    return reply_of(answer, client.url)


def reply_of(answer: Answer, url: str) -> Reply:
    """Read a reply, or the problem that a door answered instead.

    Raises: Unavailable when it is neither.
    """
    try:
        raw = orjson.loads(answer.body)
        return reply_from_json(raw) if "summary" in raw else reply_of_problem(raw)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as fault:
        raise Unavailable(
            f"{url} answered {answer.status} with something that is no reply",
            fix=["check OPSWIRE_URL", "ops doctor"],
        ) from fault


def reply_of_problem(raw: Mapping[str, Any]) -> Reply:
    """Make an error reply of a problem document."""
    error = ErrorInfo(
        code=str(raw["code"]),
        type=str(raw.get("type", "")),
        title=str(raw["title"]),
        detail=str(raw["detail"]),
        status=int(raw["status"]),
        fix=[str(each) for each in raw.get("fix", ())],
    )
    return Reply(
        summary=f"{error.title}: {error.detail}"[:150],
        status=ReplyStatus.ERROR,
        blocks=(ErrorBlock(title=error.title, detail=error.detail, fix=error.fix),),
        error=error,
    )


def show(reply: Reply, asked: Asked, terminal: Terminal) -> None:
    """Show a reply as it is, or its data in the format that was asked for."""
    if reply.error is not None and asked.output in _MACHINE:
        terminal.say(orjson.dumps(reply.error).decode())
    elif asked.is_native or reply.error is not None:
        terminal.show(reply)
    else:
        formatted = load(_FORMAT_DATA)(
            {"data": reply.data}, asked.output, asked.fields, asked.query
        )
        terminal.print(formatted)
    if reply.status is ReplyStatus.NEEDS_CONFIRMATION and "approval" not in reply.data:
        consent = reply.data.get("token")
        line = f"confirm {consent}" if consent else _confirm_line(asked, reply)
        terminal.say(f"confirm with: ops {line}")


def say_problem(problem: Problem, terminal: Terminal) -> None:
    """Tell a person what went wrong here, and what may help."""
    terminal.say(f"{problem.title}: {problem.detail}")
    for fix in problem.fix:
        terminal.say(f"try: {fix}")


def _ended(client: Client, asked: Asked, begun: Reply, terminal: Terminal) -> Exit:
    """Follow what a command began, and show how it stands then."""
    is_over = waiting.follow(client, begun, terminal, seconds=asked.wait_seconds)
    stands = send_line(client, waiting.show_line(waiting.target_of(begun)))
    show(stands, asked, terminal)
    if stands.error is None and not is_over:
        return Exit.RUNNING
    return Exit.FAILED if waiting.has_failed(stands) else exit_of(stands)


def _is_declined(
    client: Client, asked: Asked, reply: Reply, terminal: Terminal
) -> bool:
    """Ask whether a risky command shall run; one that shall not is dropped at once."""
    token = str(reply.data.get("token", ""))
    if not token or asked.is_yes or not terminal.can_ask:
        return False
    # What it would do is read before it is agreed to; the buttons are the question's.
    facts = [each for each in reply.blocks if isinstance(each, Fields)]
    terminal.tell(replace(reply, blocks=facts))
    if terminal.ask("Run it? [y/N]").lower() in ("y", "yes"):
        asked.is_yes = True
        return False
    terminal.say(send_line(client, f"cancel {token}").summary)
    return True


def _confirmed(client: Client, asked: Asked, reply: Reply, terminal: Terminal) -> Reply:
    """Run a proposal that a person agrees to; else return it unchanged."""
    token, target = str(reply.data.get("token", "")), str(reply.data.get("target", ""))
    is_agreed = asked.is_yes and bool(token)
    is_typed = bool(target) and not token and "approval" not in reply.data
    if is_typed and terminal.can_ask:
        terminal.say(reply.summary)
        is_agreed = terminal.ask(f"Type {target} to run it:") == target
    return send_line(client, _confirm_line(asked, reply)) if is_agreed else reply


def _confirm_line(asked: Asked, reply: Reply) -> str:
    """Write the line that gives consent: what was asked, `--reason` and all.

    A proposal's own line has moments where a person wrote `2h`, which by now would be
    another one.
    """
    token = str(reply.data.get("token", ""))
    proposed = str(reply.data.get("confirm", "")) if token else ""
    consent = token or str(reply.data.get("target", ""))
    return proposed or f"{asked.line} --confirm {quote(consent)}"
