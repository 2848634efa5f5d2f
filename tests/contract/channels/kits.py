"""Each channel with what the conformance suite needs of it: reading and showing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from channels import email, slack, webhook, websocket
from channels.base import ChannelSpec, Wire
from channels.email import reading
from channels.email.render import render as render_mail
from channels.email.wire import EmailWire
from channels.slack.render import Profile
from channels.slack.render import render as render_slack
from channels.slack.wire import Kind, SlackWire, storable
from channels.terminal import render as render_terminal
from channels.testing.conformance import Shown
from channels.testing.mailbox import Letter, compose
from channels.testing.slack import FakeSlack, FakeWorkspace
from channels.testing.slack import payloads as slack_payloads
from channels.testing.slack.checks import check_message
from channels.websocket.wire import parse_frame, to_envelope
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import system
from core.kernel.reply import Reply
from core.kernel.sanitise import sanitise_reply

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
OPS, ANN = "C0OPS0001", "U0ANN0001"

Payload = Mapping[str, Json]
Read = Callable[[str], Envelope]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What is checked of one channel.

    Shape:  `reads` are the ways in which a line is written there. A store-first channel
            has a `wire`, and `samples` of what it stores.
    """

    spec: ChannelSpec
    reads: Mapping[str, Read] = field(default_factory=dict)
    wire: Wire | None = None
    samples: Mapping[str, Payload] = field(default_factory=dict)
    show: Callable[[Reply], Shown] | None = None


# ── Slack ─────────────────────────────────────────────────────────────────────
def _workspace() -> FakeWorkspace:
    return FakeSlack().home


def _slash(line: str) -> Payload:
    ways = {"trigger_id": "1.2.a", "response_url": "https://hooks.slack.test/r"}
    return _stored(
        Kind.SLASH, slack_payloads.slash(_workspace(), ANN, OPS, line, **ways)
    )


def _said(kind: Kind, text: str) -> Payload:
    home = _workspace()
    message = {
        "type": "message",
        "user": ANN,
        "channel": OPS,
        "ts": "1762246800.000100",
        "thread_ts": "1762246700.000100",
        "text": text,
    }
    return _stored(kind, slack_payloads.event(home, message, at=NOW.timestamp()))


def _mention(line: str) -> Payload:
    return _said(Kind.MENTION, f"<@{_workspace().bot_user_id}> {line}")


def _dm(line: str) -> Payload:
    return _said(Kind.DM, line)


def _stored(kind: Kind, body: dict[str, Any]) -> Payload:
    delivery = storable(kind, body, account="acme")
    assert delivery is not None
    return delivery.payload


def _show_in_slack(reply: Reply) -> Shown:
    message = render_slack(
        sanitise_reply(reply), place={"channel": OPS}, profile=Profile()
    )
    check_message(_workspace(), message.text, message.blocks)
    return Shown(
        text=orjson.dumps(message.blocks).decode(),
        aloud=message.text,
        blocks=len(message.blocks),
    )


# ── mail ──────────────────────────────────────────────────────────────────────
def _mail(*, subject: str, text: str = "") -> Payload:
    letter = Letter(
        sender="ann@example.org", to="ops@example.org", subject=subject, text=text
    )
    raw = compose(letter).as_bytes()
    read = reading.read(raw, address="ops@example.org")
    return {**read, "thread": "<1@example.org>", "assurance": 1}


def _body(line: str) -> Payload:
    return _mail(subject="hello", text=f"!{line}\n\nthanks\nann")


def _subject(line: str) -> Payload:
    return _mail(subject=f"[ops] {line}")


def _show_as_mail(reply: Reply) -> Shown:
    mailing = render_mail(reply)
    return Shown(text=mailing.text, aloud=mailing.subject)


# ── WebSocket ─────────────────────────────────────────────────────────────────
def _frame(line: str) -> Envelope:
    frame = parse_frame(orjson.dumps({"t": "exec", "id": "1", "line": line}).decode())
    return to_envelope(frame, system(), session="ws_1", now=NOW)  # type: ignore[arg-type]


def _show_in_terminal(reply: Reply) -> Shown:
    text = render_terminal(sanitise_reply(reply), width=80, colour=False)
    return Shown(text=text, aloud=text.partition("\n")[0])


def _through(wire: Wire, write: Callable[[str], Payload]) -> Read:
    def read(line: str) -> Envelope:
        inbound = wire.parse(write(line), account="acme", received_at=NOW)
        assert inbound.problem is None, inbound
        [envelope] = inbound.envelopes
        return envelope

    return read


_SLACK, _EMAIL = SlackWire(), EmailWire()

KITS = {
    "slack": Kit(
        spec=slack.SPEC,
        reads={
            "slash": _through(_SLACK, _slash),
            "mention": _through(_SLACK, _mention),
            "dm": _through(_SLACK, _dm),
        },
        wire=_SLACK,
        samples={
            "slash": _slash("task list"),
            "mention": _mention("task list"),
            "dm": _dm("task list"),
        },
        show=_show_in_slack,
    ),
    "email": Kit(
        spec=email.SPEC,
        reads={
            "body": _through(_EMAIL, _body),
            "subject": _through(_EMAIL, _subject),
        },
        wire=_EMAIL,
        samples={"body": _body("task list"), "subject": _subject("task list")},
        show=_show_as_mail,
    ),
    "websocket": Kit(
        spec=websocket.SPEC, reads={"frame": _frame}, show=_show_in_terminal
    ),
    "webhook": Kit(spec=webhook.SPEC),
}
