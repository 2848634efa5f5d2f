"""What Slack sends becomes one stored message, and that a command of one person."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Delivery, Inbound
from channels.slack.escapes import escape
from channels.slack.wire import Kind, SlackWire, storable
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Assurance

FIXTURES = Path(__file__).parents[3] / "fixtures" / "slack"
AT = datetime(2026, 11, 4, 9, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def sent(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return body


def stored(kind: Kind, name: str) -> Delivery:
    delivery = storable(kind, sent(name), account="acme")
    assert delivery is not None
    return delivery


def read(payload: Mapping[str, Json]) -> Inbound:
    return SlackWire().parse(payload, account="acme", received_at=AT)


def asked(kind: Kind, name: str) -> Envelope:
    (envelope,) = read(stored(kind, name).payload).envelopes
    return envelope


def test_slash_command_is_its_text() -> None:
    envelope = asked(Kind.SLASH, "slash__create")

    assert envelope.text == 'task create "Fix <login> & logout" --lane B'
    assert (envelope.channel, envelope.account) == ("slack", "acme")
    assert (envelope.sender, envelope.conversation) == ("U0ANN", "C0OPS")
    assert envelope.assurance is Assurance.SECRET
    assert envelope.reply_to == {
        "channel": "C0OPS",
        "thread_ts": "",
        "user": "U0ANN",
        "response_url": "https://hooks.slack.com/commands/T0ACME/1/abc",
        "expires": "2026-11-04T09:30:00.000000Z",
    }


def test_slash_command_without_text_asks_nothing_yet() -> None:
    envelope = asked(Kind.SLASH, "slash__no_text")

    assert (envelope.text, envelope.command) == ("", "")


def test_mention_in_a_thread_is_answered_there_without_the_name() -> None:
    envelope = asked(Kind.MENTION, "mention__in_thread")

    assert envelope.text == "task list --assignee me"
    assert envelope.thread == "1762250300.000050"
    assert envelope.conversation == "C0OPS:1762250300.000050"
    assert envelope.reply_to["thread_ts"] == "1762250300.000050"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<@U0BOT> T-12", "T-12"),
        ("<@U0BOT|opswire>: T-12", "T-12"),
        ("  <@U0BOT>", ""),
        ("please <@U0BOT> T-12", "please T-12"),
        ("<@U0BOB> T-12", "@U0BOB T-12"),
        (
            "<@U0BOT> task note T-1 &quot;<@U0BOT>&quot;",
            "task note T-1 &quot;@U0BOT&quot;",
        ),
    ],
)
def test_only_our_own_name_is_taken_away_and_once(said: str, text: str) -> None:
    body = sent("mention__in_thread")
    body["event"]["text"] = said
    delivery = storable(Kind.MENTION, body, account="acme")
    assert delivery is not None

    (envelope,) = read(delivery.payload).envelopes

    assert envelope.text.split() == text.split()


def test_direct_message_with_links() -> None:
    envelope = asked(Kind.DM, "dm__links")

    assert envelope.text == "see https://ops.example.org/t/T-12?a=1&b=2 and example.org"
    assert envelope.conversation == "D0ANN"


def test_the_same_message_under_another_event_id_is_stored_the_same() -> None:
    """R-08, R-10: Slack delivers one message again under another event_id."""
    first = stored(Kind.MENTION, "mention__in_thread")

    assert stored(Kind.MENTION, "mention__redelivered") == first
    as_message = sent("mention__in_thread")
    as_message["event"] |= {"type": "message", "channel_type": "im"}
    assert storable(Kind.DM, as_message, account="acme") == first


@pytest.mark.parametrize(
    "name", ["dm__from_our_bot", "dm__from_another_bot", "dm__changed"]
)
def test_bots_and_changes_are_not_for_us(name: str) -> None:
    assert storable(Kind.DM, sent(name), account="acme") is None


def test_our_own_user_is_ignored_even_without_a_bot_id() -> None:
    body = sent("dm__links")
    body["event"]["user"] = "U0BOT"

    assert storable(Kind.DM, body, account="acme") is None


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda p: p.stem)
def test_nothing_that_lets_somebody_in_is_stored(path: Path) -> None:
    kind = {
        "slash": Kind.SLASH,
        "mention": Kind.MENTION,
        "dm": Kind.DM,
        "button": Kind.BUTTON,
        "modal": Kind.MODAL,
    }.get(path.stem.partition("__")[0])
    if kind is None:
        return  # A shortcut opens a window and is never stored.
    delivery = storable(kind, json.loads(path.read_text("utf-8")), account="acme")

    written = json.dumps(dict(delivery.payload)) if delivery else ""
    assert "deprecated-verification-token" not in written
    assert "trigger" not in written


def test_button_is_pressed_once_by_each_person() -> None:
    first = stored(Kind.BUTTON, "button__claim")
    body = sent("button__claim")
    body |= {"trigger_id": "another", "response_url": "https://hooks.slack.com/x"}

    again = storable(Kind.BUTTON, body, account="acme")

    assert again is not None
    assert (again.sender, again.key) == (first.sender, first.key)
    assert first.key == "press:rp_01JC8ZQ4T70000000000000000.0"


def test_button_stands_for_what_the_server_knows() -> None:
    envelope = asked(Kind.BUTTON, "button__claim")

    assert envelope.command == "press"
    assert envelope.args == {"button": "rp_01JC8ZQ4T70000000000000000.0"}
    assert not envelope.is_consent
    assert envelope.reply_to["thread_ts"] == "1762250300.000050"


@pytest.mark.parametrize(
    ("how", "is_consent", "is_again"),
    [("press", False, False), ("sure", True, False), ("look", False, True)],
)
def test_how_a_button_is_pressed(how: str, is_consent: bool, is_again: bool) -> None:
    """A dialog is consent; what only looks may be pressed again."""
    body = sent("button__claim")
    body["actions"][0]["action_id"] = f"{how}:0"
    first = storable(Kind.BUTTON, body, account="acme")
    second = storable(Kind.BUTTON, {**body, "trigger_id": "other"}, account="acme")
    assert first is not None
    assert second is not None

    (envelope,) = read(first.payload).envelopes

    assert envelope.is_consent is is_consent
    assert (first.key != second.key) is is_again


@pytest.mark.parametrize("action", ["type:0", "open:launcher", "choose", "", "url:1"])
def test_button_that_only_opens_something_is_not_stored(action: str) -> None:
    body = sent("button__claim")
    body["actions"][0]["action_id"] = action

    assert storable(Kind.BUTTON, body, account="acme") is None


@pytest.mark.parametrize(
    "value", ["", "rp_1", "task list", "rp_X.0; task list", "rp_x.0"]
)
def test_button_with_another_value_asks_nothing(value: str) -> None:
    payload = {**stored(Kind.BUTTON, "button__claim").payload, "value": value}

    assert read(payload).skipped


def test_button_of_the_home_tab_says_its_line_and_is_answered_directly() -> None:
    envelope = asked(Kind.BUTTON, "button__home")

    assert envelope.text == "task list --assignee me"
    assert envelope.reply_to["channel"] == "U0ANN"


def test_form_becomes_a_command_with_typed_arguments() -> None:
    envelope = asked(Kind.MODAL, "modal__task_create")

    assert envelope.command == "task create"
    assert envelope.args == {
        "title": "Login <fails> & more",
        "lane": "B",
        "priority": 5,
        "dod": ["tests", "docs"],
        "loud": True,
        "since": "2025-11-04T10:00:00.000000Z",
    }
    assert envelope.reply_to["channel"] == "C0OPS"
    assert envelope.conversation == "C0OPS:1762250300.000050"


def test_typed_id_confirms_what_the_button_stands_for() -> None:
    envelope = asked(Kind.MODAL, "modal__typed_id")

    assert envelope.command == "press"
    assert envelope.args == {
        "button": "rp_01JC8ZQ4T70000000000000001.0",
        "confirm": "W-1",
    }


@pytest.mark.parametrize("metadata", ["", "{not json", "[]", '"text"'])
def test_window_whose_origin_is_unreadable_asks_nothing(metadata: str) -> None:
    body = sent("modal__task_create")
    body["view"]["private_metadata"] = metadata
    delivery = storable(Kind.MODAL, body, account="acme")
    assert delivery is not None

    assert read(delivery.payload).skipped


def test_event_that_does_not_say_who_we_are_is_read_without_its_first_name() -> None:
    body = sent("mention__in_thread")
    del body["authorizations"]
    delivery = storable(Kind.MENTION, body, account="acme")
    assert delivery is not None

    assert read(delivery.payload).envelopes[0].text == "task list --assignee me"


def test_unknown_button_of_the_home_tab_says_nothing() -> None:
    payload = {**stored(Kind.BUTTON, "button__home").payload, "value": "purge"}

    assert read(payload).skipped


def test_window_that_is_no_form_of_ours_is_not_stored() -> None:
    body = sent("modal__task_create")
    body["view"]["callback_id"] = "launcher"

    assert storable(Kind.MODAL, body, account="acme") is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(max_examples=2_000, deadline=None)
def test_a_line_survives_slack(line: str) -> None:
    """R-18: the line that was typed is the line that is parsed."""
    body = {**sent("slash__create"), "text": escape(line)}
    delivery = storable(Kind.SLASH, body, account="acme")
    assert delivery is not None

    (envelope,) = read(delivery.payload).envelopes

    assert envelope.text == line


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "kind",
                "text",
                "user",
                "channel",
                "about",
                "values",
                "form",
                "value",
                "how",
            ]
        ),
        JSON
        | st.sampled_from(["slash", "message", "button", "modal", "say", "command"]),
    )
)
@settings(deadline=None)
def test_whatever_is_stored_can_be_read(payload: dict[str, Json]) -> None:
    inbound = read(payload)

    assert bool(inbound.envelopes) is not bool(inbound.skipped)
