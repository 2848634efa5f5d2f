"""The same line means the same in Slack as anywhere, and shows nothing it should not."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.slack.escapes import escape
from channels.slack.render import Profile, render
from channels.slack.wire import Kind, SlackWire, storable
from commands.everything import COMMANDS
from commands.parser import parse
from commands.registry import Registry
from commands.render import quote
from core.kernel.problems import Problem
from core.kernel.reply import (
    Action,
    Actions,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Reply,
    Table,
    Text,
)
from core.kernel.sanitise import sanitise_reply
from tests.unit.channels.slack.test_render import texts
from tests.unit.channels.slack.test_wire import AT

REGISTRY = Registry.of(COMMANDS)
TITLES = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("&<>\"'“”‘’—\n\t `"),
    min_size=1,
    max_size=80,
)
HOSTILE = [
    "\x1b[2J",
    "\x1b]8;;https://evil.example\x07bank\x1b]8;;\x07",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x90payload\x9c",
    "\x00",
    "\x08\x08\x08",
    "\r",
    "\x7f",
    "\x85",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\U000e0041",
]
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]")


def understood(line: str) -> tuple[str, str]:
    """What a line means: its canonical form, or why it is refused."""
    try:
        return parse(line, REGISTRY, now=AT).canonical, ""
    except Problem as problem:
        return "", problem.detail


def in_slack(kind: Kind, line: str) -> str:
    """The line that reaches the parser when somebody types it in Slack."""
    by_kind: dict[Kind, dict[str, Any]] = {
        Kind.SLASH: {
            "user_id": "U1",
            "channel_id": "C1",
            "trigger_id": "1",
            "text": escape(line),
        },
        Kind.MENTION: {
            "event": {
                "user": "U1",
                "channel": "C1",
                "ts": "1.1",
                "text": f"<@UBOT> {escape(line)}",
            },
            "authorizations": [{"user_id": "UBOT", "is_bot": True}],
        },
    }
    delivery = storable(kind, by_kind[kind], account="acme")
    assert delivery is not None
    inbound = SlackWire().parse(delivery.payload, account="acme", received_at=AT)
    return inbound.envelopes[0].text


@given(TITLES, st.booleans(), st.sampled_from([Kind.SLASH, Kind.MENTION]))
@settings(max_examples=2_000, deadline=None)
def test_a_line_means_in_slack_what_it_means_everywhere(
    title: str, is_quoted: bool, kind: Kind
) -> None:
    """R-18: Unicode, quotes and newlines, on either way in."""
    line = f"task create {quote(title) if is_quoted else title} --lane B"

    assert understood(in_slack(kind, line)) == understood(line)


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("is_classic", [False, True])
def test_no_control_character_reaches_slack(hostile: str, is_classic: bool) -> None:
    """R-68: what a reply shows was cleaned before any channel saw it."""
    text = f"before {hostile} after"
    reply = sanitise_reply(
        Reply(
            id="rp_1",
            summary=text,
            blocks=(
                Text(md=text),
                Fields(pairs=[("name", text)]),
                Table(columns=[text], rows=[[text]]),
                Code(text=text),
                Link(label=text, url="https://x.example"),
                ErrorBlock(title=text, detail=text, fix=[text]),
                Actions(items=(Action(label=text, command="status"),)),
            ),
        )
    )

    message = render(
        reply, place={"channel": "C1"}, profile=Profile(is_classic=is_classic)
    )

    shown = [message.text, *texts(message.blocks)]
    assert len(shown) >= 8
    assert not [each for each in shown if _UNSEEN.search(each)]
