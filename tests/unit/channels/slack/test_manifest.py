"""The manifest asks for six rights, and the page says why."""

import re
from pathlib import Path
from typing import Any

import pytest

from channels.slack.manifest import EVENTS, SCOPES, build_manifest

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "connect-slack.md"


def addresses(node: object) -> set[str]:
    """Every address in the manifest."""
    if isinstance(node, dict):
        return set().union(*map(addresses, node.values()), set())
    if isinstance(node, list):
        return set().union(*map(addresses, node), set())
    return {node} if isinstance(node, str) and "://" in node else set()


def test_over_a_socket_slack_needs_no_address() -> None:
    manifest: Any = build_manifest()

    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert addresses(manifest) == set()


@pytest.mark.parametrize("url", ["https://ops.example.org", "https://ops.example.org/"])
def test_over_http_everything_comes_to_one_address(url: str) -> None:
    manifest: Any = build_manifest(url=url)

    assert manifest["settings"]["socket_mode_enabled"] is False
    assert addresses(manifest) == {"https://ops.example.org/slack/events"}


def test_typed_names_come_as_they_were_typed() -> None:
    """R-18: with escaping, Slack would turn `@ann` into an id that nobody typed."""
    manifest: Any = build_manifest()

    (command,) = manifest["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/ops", False)


def test_six_rights_are_asked_and_no_more() -> None:
    manifest: Any = build_manifest()

    assert manifest["oauth_config"]["scopes"] == {
        "bot": [
            "commands",
            "chat:write",
            "app_mentions:read",
            "im:history",
            "users:read",
            "users:read.email",
        ]
    }
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == list(EVENTS)


def test_the_page_says_why_each_right_is_asked() -> None:
    rows = re.findall(
        r"^\| `([a-z:._]+)` \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )

    assert {name: why for name, why in rows if name in SCOPES} == dict(SCOPES)
    assert {name: why for name, why in rows if name in EVENTS} == dict(EVENTS)


def test_texts_are_as_short_as_slack_wants() -> None:
    manifest: Any = build_manifest()

    assert len(manifest["display_information"]["description"]) <= 140
    for shortcut in manifest["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
