"""`ops doctor` on channels: what is degraded or was not delivered, each with its fix."""

from typing import Any, cast

import pytest

from core.kernel.jsons import to_json
from core.kernel.reply import ErrorInfo, Reply, ReplyStatus
from gateway.cli.client import Answer, Client
from gateway.cli.verbs.doctor import (
    check_channels,
    check_plugins,
    check_reactions,
    check_sandbox,
)
from gateway.settings import SandboxSettings, Settings


class OneAnswer:
    """A gateway that says the same to everything."""

    url = "http://127.0.0.1:8000"

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def post(self, path: str, body: object, *, key: str) -> Answer:
        return Answer(status=200, headers={}, body=to_json(self._reply))


def shown(channel: str, **fields: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "state": "connected",
        "error": "",
        "fix": "",
        "dead": 0,
        "accounts": [],
        **fields,
    }


def checked(*channels: dict[str, Any]) -> list[tuple[str, str, str]]:
    reply = Reply(summary="channels", data={"items": list(channels), "next": None})
    client = cast(Client, OneAnswer(reply))
    return [tuple(each) for each in check_channels(client)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (shown("rest"), []),
        (
            shown("email", state="off", fix="set OPSWIRE_EMAIL__ADDRESS"),
            [("email", "off: set OPSWIRE_EMAIL__ADDRESS", "")],
        ),
        (shown("slack", accounts=[{}]), [("slack", "connected", "")]),
        (
            shown(
                "slack", state="degraded", error="token revoked", fix="set a new one"
            ),
            [("slack", "token revoked", "set a new one")],
        ),
        (
            shown("slack", dead=3),
            [
                (
                    "slack",
                    "connected; 3 not delivered",
                    "ops outbox list --status dead --channel slack",
                )
            ],
        ),
    ],
)
def test_a_channel_is_told_of_when_there_is_something_to_tell(
    channel: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert checked(channel) == expected


def test_who_may_not_see_the_channels_is_told_nothing() -> None:
    error = ErrorInfo(
        type="", code="missing_scope", title="", detail="", status=403, fix=()
    )
    refused = Reply(summary="no", status=ReplyStatus.ERROR, error=error)

    assert list(check_channels(cast(Client, OneAnswer(refused)))) == []


def plugin(**fields: Any) -> dict[str, Any]:
    return {
        "plugin": "hello",
        "state": "live",
        "place": "plugins/hello.py",
        "fault": "",
        "last_raised": "",
        **fields,
    }


@pytest.mark.parametrize(
    ("shown_plugin", "expected"),
    [
        (plugin(), ("hello", "live, from plugins/hello.py", "")),
        (
            plugin(state="disabled", fault="NameError: x (plugins/hello.py:7)"),
            ("hello", "NameError: x (plugins/hello.py:7)", "ops plugin show hello"),
        ),
        (
            plugin(last_raised="KeyError: 'x' (plugins/hello.py:7)"),
            ("hello", "KeyError: 'x' (plugins/hello.py:7)", "ops plugin show hello"),
        ),
    ],
)
def test_a_plugin_is_told_of_with_the_line_that_failed(
    shown_plugin: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    reply = Reply(summary="plugins", data={"items": [shown_plugin], "next": None})

    found = list(check_plugins(cast(Client, OneAnswer(reply))))

    assert found == [expected]


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        ({"checks": {"reactions": {"ok": True, "detail": "none fails"}}}, []),
        ({"status": "ready"}, []),
        (
            {"checks": {"reactions": {"detail": "x: TypeError", "fix": "look"}}},
            [("reactions", "x: TypeError", "look")],
        ),
    ],
)
def test_what_cannot_be_reacted_to_is_told(
    ready: object, expected: list[tuple[str, str, str]]
) -> None:
    assert [tuple(each) for each in check_reactions(to_json(ready))] == expected


def test_that_steps_read_what_their_worker_reads_is_told() -> None:
    """R-66: no fault, for it is what was set."""
    found = check_sandbox(Settings(sandbox=SandboxSettings(isolation="off")))

    assert found.is_ok
    assert "can read what their worker reads" in found.detail
