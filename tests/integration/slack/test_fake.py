"""The fake refuses what Slack refuses; otherwise tests against it would show nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from channels.testing.slack import FakeSlack
from channels.testing.slack.api import RESPONSE_POSTS, RESPONSE_SECONDS
from channels.testing.slack.delivery import sign
from tests.integration.slack.conftest import ANN, OPS

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
VIEW: dict[str, Any] = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Task"},
    "blocks": [SECTION],
}


class Time:
    """The fake's clock, which a test can move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def slack(time: Time) -> AsyncIterator[FakeSlack]:
    fake = FakeSlack(now=time)
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.url, retry_handlers=[])


async def refusal_of(
    client: AsyncWebClient, method: str, **arguments: Any
) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=arguments)
    assert refused.value.response.status_code == 200
    return dict(refused.value.response.data)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
        ({"blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "sction"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        (
            {
                "blocks": [
                    {
                        "type": "section",
                        "text": {"type": "mrkdwn", "text": "x" * 3_001},
                    }
                ]
            },
            "invalid_blocks",
        ),
        ({"blocks": [{**SECTION, "block_id": "same"}] * 2}, "invalid_blocks"),
        (
            {
                "blocks": [
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "action_id": "a",
                                "text": {"type": "plain_text", "text": "x" * 76},
                            }
                        ],
                    }
                ]
            },
            "invalid_blocks",
        ),
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
    ],
)
async def test_a_message_that_slack_would_not_show_is_refused(
    client: AsyncWebClient, message: dict[str, Any], error: str
) -> None:
    refused = await refusal_of(
        client, "chat.postMessage", **{"channel": OPS, **message}
    )

    assert refused["error"] == error


async def test_tokens_and_scopes_are_checked(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    stranger = AsyncWebClient(token="xoxb-other", base_url=slack.url)
    nobody = AsyncWebClient(base_url=slack.url)
    slack.home.scopes.discard("chat:write")

    missing = await refusal_of(client, "chat.postMessage", channel=OPS, text="x")
    slack.home.token_error = "token_revoked"

    assert (missing["error"], missing["needed"]) == ("missing_scope", "chat:write")
    assert (await refusal_of(client, "auth.test"))["error"] == "token_revoked"
    assert (await refusal_of(stranger, "auth.test"))["error"] == "invalid_auth"
    assert (await refusal_of(nobody, "auth.test"))["error"] == "not_authed"


async def test_a_window_opens_once_and_within_three_seconds(
    slack: FakeSlack, client: AsyncWebClient, time: Time
) -> None:
    first, late = (slack.new_trigger(ANN) for _ in range(2))

    await client.views_open(trigger_id=first, view=VIEW)
    again = await refusal_of(client, "views.open", trigger_id=first, view=VIEW)
    time.now += 3.1
    expired = await refusal_of(client, "views.open", trigger_id=late, view=VIEW)

    assert slack.people.window_of(ANN) is not None
    assert again["error"] == "invalid_trigger_id"
    assert expired["error"] == "trigger_expired"


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"blocks": []},
        {"type": "x"},
    ],
)
async def test_a_window_that_slack_would_not_open_is_refused(
    slack: FakeSlack, client: AsyncWebClient, change: dict[str, Any]
) -> None:
    refused = await refusal_of(
        client,
        "views.open",
        trigger_id=slack.new_trigger(ANN),
        view={**VIEW, **change},
    )

    assert refused["error"] == "invalid_arguments"


async def test_a_response_url_takes_five_posts_for_half_an_hour(
    slack: FakeSlack, time: Time
) -> None:
    used = AsyncWebhookClient(slack.new_response_url(ANN, OPS), retry_handlers=[])
    old = AsyncWebhookClient(slack.new_response_url(ANN, OPS), retry_handlers=[])

    posts = [(await used.send(text="x")).status_code for _ in range(RESPONSE_POSTS + 1)]
    time.now += RESPONSE_SECONDS + 1
    late = await old.send(text="x")

    assert posts == [200] * RESPONSE_POSTS + [404]
    assert late.status_code == 404
    assert len(slack.messages()) == RESPONSE_POSTS


def test_it_signs_as_slack_does() -> None:
    """The example of Slack's own documentation."""
    secret = "8f742231b10e8888abcd99yyyzzz85a5"  # pragma: allowlist secret
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
        b"&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J"
        b"%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015"
        b".47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    signed = sign(secret, body, at=1531420618)

    assert signed["X-Slack-Signature"] == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


def test_its_signatures_hold_for_slacks_own_verifier() -> None:
    headers = sign("a-secret", b"body", at=2e9)
    verifier = SignatureVerifier("a-secret")

    expected = verifier.generate_signature(timestamp="2000000000", body=b"body")

    assert headers["X-Slack-Signature"] == expected
