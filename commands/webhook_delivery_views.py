"""The shapes of what a webhook received, or would do, and how they are filled in."""

from dataclasses import asdict

from typing_extensions import TypedDict

from core.hooks.deliveries import Delivery
from core.hooks.replays import Replay
from core.hooks.tries import Whole
from core.kernel.clock import to_iso
from core.kernel.jsons import Json

BODY_LIMIT_CHARS = 65_536
COMMANDS_LIMIT = 50


class DeliveryData(TypedDict):
    """A delivery; `took_ms` is null and `url` empty while it waits.

    `command` is the line that was run, "" when there was not exactly one; `commands`
    are the first 50. `proof` is `signature`, `key`, `sent` or `replay`.
    """

    id: str
    reply_id: str
    received_at: str
    outcome: str
    took_ms: int | None
    size_bytes: int
    command: str
    commands: list[str]
    summary: str
    code: str
    url: str
    proof: str
    by: str
    replay_of: str
    replayed_as: str


class DeliveryPageData(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[DeliveryData]
    next: str | None


class ListeningData(TypedDict):
    """The last deliveries, and the event after which newer ones are told of."""

    id: str
    items: list[DeliveryData]
    since: int
    next: str | None


class AnsweredLineData(TypedDict):
    """One command of a delivery and how it ended."""

    command: str
    status: str
    summary: str
    code: str


class DeliveryTryData(TypedDict):
    """One run of a delivery; the others repeat the first."""

    id: str
    received_at: str
    outcome: str
    by: str


class WholeDeliveryData(DeliveryData):
    """A delivery with what it said and what came of it.

    `body` has at most 65,536 characters and `is_cut` tells that there were more.
    `skipped` is why no command was run; `detail` and `fix` tell of a problem, and if an
    expression found nothing, `expression` and `sample` what was looked for and where.
    """

    headers: dict[str, str]
    body: str
    is_cut: bool
    skipped: str
    detail: str
    expression: str
    sample: str
    fix: list[str]
    lines: list[AnsweredLineData]
    tries: list[DeliveryTryData]


class ReplayData(TypedDict):
    """What became of asking for a delivery again; `now` stands for it from now on.

    `is_new` tells that it was put into the inbox; otherwise nothing was changed.
    """

    id: str
    now: str
    is_new: bool
    outcome: str
    summary: str
    url: str


class ReplayedData(TypedDict):
    """How many deliveries are run again, and each that was asked for."""

    replayed: int
    items: list[ReplayData]


class SentData(TypedDict):
    """A delivery that was sent from inside, and whose endpoint it went to."""

    id: str
    webhook: str


def view_of(each: Delivery) -> dict[str, Json]:
    """Show a delivery."""
    return {
        **asdict(each),
        "received_at": to_iso(each.received_at),
        "outcome": each.outcome.value,
        "command": each.command,
        "commands": list(each.commands[:COMMANDS_LIMIT]),
    }


def whole_view_of(whole: Whole) -> dict[str, Json]:
    """Show a delivery with what is kept of it."""
    reply = whole.reply
    error = reply.get("error") or {}
    extra = error.get("extra", {})
    return {
        **view_of(whole.delivery),
        "headers": dict(whole.headers),
        "body": whole.body[:BODY_LIMIT_CHARS],
        "is_cut": len(whole.body) > BODY_LIMIT_CHARS,
        "skipped": str(reply.get("data", {}).get("skipped", "")),
        "detail": error.get("detail", ""),
        "expression": str(extra.get("expression", "")),
        "sample": str(extra.get("sample", "")),
        "fix": list(error.get("fix", ())),
        "lines": [dict(each) for each in lines_of(whole)],
        "tries": [
            {
                "id": each.id,
                "received_at": to_iso(each.received_at),
                "outcome": each.outcome.value,
                "by": each.by,
            }
            for each in whole.tries
        ],
    }


def replay_view_of(each: Replay) -> dict[str, Json]:
    """Show what became of asking for a delivery again."""
    return {
        "id": each.of,
        "now": each.now.id,
        "is_new": each.is_new,
        "outcome": each.now.outcome.value,
        "summary": each.now.summary,
        "url": each.now.url,
    }


def lines_of(whole: Whole) -> list[AnsweredLineData]:
    """Tell of each command that was run, whether it was one or several."""
    found, reply = whole.delivery, whole.reply
    if reply.get("command"):
        return [
            AnsweredLineData(
                command=found.command,
                status=reply["status"],
                summary=found.summary,
                code=found.code,
            )
        ]
    return [
        AnsweredLineData(
            command=each["command"],
            status=each["status"],
            summary=each["summary"],
            code=each["code"],
        )
        for each in reply.get("data", {}).get("items", ())
    ]
