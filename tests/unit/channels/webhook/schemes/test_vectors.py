"""Signatures that others have published or made, and what our schemes make of them."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new

import pytest

from channels.webhook.schemes import SCHEMES, Proven
from core.hooks.model import HookAuth
from core.kernel.problems import Unauthenticated

Headers = Mapping[str, str]


def prove(scheme: str, headers: Headers, body: bytes, at: int, *keys: bytes) -> Proven:
    now = datetime.fromtimestamp(at, UTC)
    return SCHEMES[scheme](headers).prove(body, keys=keys, now=now)


def test_every_kind_of_signature_has_a_scheme() -> None:
    assert set(SCHEMES) == set(HookAuth) - {HookAuth.KEY}


def test_published_vector_of_github() -> None:
    """`R-04`: the example of GitHub's own page about signatures."""
    headers = {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"  # pragma: allowlist secret
    }
    key = b"It's a Secret to Everybody"  # pragma: allowlist secret

    assert prove("github", headers, b"Hello, World!", 0, key).key
    with pytest.raises(Unauthenticated):
        prove("github", headers, b"Hello, World?", 0, key)


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)  # pragma: allowlist secret
SLACK_KEY = b"8f742231b10e8888abcd99yyyzzz85a5"  # pragma: allowlist secret
SLACK_HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0="
    "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",  # pragma: allowlist secret
}


def test_published_vector_of_slack() -> None:
    """`R-04`: the example of Slack's own page about signatures, an empty text in it."""
    assert prove("slack", SLACK_HEADERS, SLACK_BODY, 1531420618, SLACK_KEY).key
    with pytest.raises(Unauthenticated):
        prove("slack", SLACK_HEADERS, SLACK_BODY + b"&", 1531420618, SLACK_KEY)


@pytest.mark.parametrize(
    "edge", [1531420618 + 300, 1531420618 - 300], ids=["late", "early"]
)
def test_slack_counts_for_five_minutes_either_way(edge: int) -> None:
    beyond = edge + (1 if edge > 1531420618 else -1)

    assert prove("slack", SLACK_HEADERS, SLACK_BODY, edge, SLACK_KEY).key
    with pytest.raises(Unauthenticated, match="5 minutes"):
        prove("slack", SLACK_HEADERS, SLACK_BODY, beyond, SLACK_KEY)


STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",  # pragma: allowlist secret
}


def test_published_vector_of_standard_webhooks() -> None:
    """`R-04`: the example that the libraries of Standard Webhooks all carry."""
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")  # pragma: allowlist secret
    body = b'{"test": 2432232314}'

    proven = prove("standard", STANDARD, body, 1614265330, key)

    assert proven.key == STANDARD["webhook-id"]


def test_gitlab_signs_as_standard_webhooks_does() -> None:
    """GitLab's newer signing token is such a secret, the prefix included."""
    secret = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
    body = b'{"test": 2432232314}'

    proven = prove("gitlab", STANDARD, body, 1614265330, secret)

    assert proven.key == STANDARD["webhook-id"]


def test_gitlab_token_does_not_stand_in_for_a_bad_signature() -> None:
    secret = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
    headers = {**STANDARD, "x-gitlab-token": secret.decode()}

    with pytest.raises(Unauthenticated):
        prove("gitlab", headers, b"{}", 1614265330, secret)


def test_gitlab_secret_that_encodes_nothing_signs_nothing() -> None:
    with pytest.raises(Unauthenticated):
        prove("gitlab", STANDARD, b"{}", 1614265330, b"whsec_!!!")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"idempotency-key": "one", "webhook-id": "two"}, "one"),
        ({"webhook-id": "two"}, "two"),
        ({}, sha256(b"{}").hexdigest()),
        ({"idempotency-key": "k" * 256}, sha256(b"{}").hexdigest()),
    ],
)
def test_gitlab_message_is_known_by_its_name_or_its_body(
    headers: dict[str, str], key: str
) -> None:
    token = {"x-gitlab-token": "a-token-of-gitlab"}  # pragma: allowlist secret

    proven = prove("gitlab", {**token, **headers}, b"{}", 0, b"a-token-of-gitlab")

    assert proven.key == key


def stripe(body: bytes, key: bytes, at: int) -> str:
    return new(key, b"%d." % at + body, sha256).hexdigest()


@pytest.mark.parametrize(
    "form",
    [
        "t={t},v1={good}",
        "t={t},v1={bad},v1={good}",
        "t={t},v1={good},v0={bad}",
        "v1={good},t={t}",
        "t={t}, v1={good}",
        "t={t},v1={good},x=y,=,",
    ],
)
def test_stripe_takes_any_good_signature_of_version_1(form: str) -> None:
    key, body, at = b"whsec_of_stripe_itself", b'{"id":"evt_1"}', 1_793_782_800
    header = form.format(t=at, good=stripe(body, key, at), bad="0" * 64)

    assert prove("stripe", {"stripe-signature": header}, body, at, key).key == "evt_1"


@pytest.mark.parametrize(
    "form",
    [
        "",
        "t={t}",
        "v1={good}",
        "t={t},v0={good}",
        "t={t},v1={bad}",
        "t={t},v1={good}x",
        "t={t},v1=",
        "t={t},t={t},v1={good}",
        "t=,v1={good}",
        "t={t}.0,v1={good}",
        "t=-{t},v1={good}",
        "t=inf,v1={good}",
        "t={t}" + ",v1={bad}" * 10 + ",v1={good}",
        "t={t};v1={good}",
        "T={t},V1={good}",
    ],
)
def test_stripe_refuses_every_other_header(form: str) -> None:
    """`R-04`."""
    key, body, at = b"whsec_of_stripe_itself", b'{"id":"evt_1"}', 1_793_782_800
    header = form.format(t=at, good=stripe(body, key, at), bad="0" * 64)

    with pytest.raises(Unauthenticated):
        prove("stripe", {"stripe-signature": header}, body, at, key)


def test_new_attempt_of_an_event_is_the_same_message() -> None:
    """Stripe signs each attempt anew, and may count the attempts in the body."""
    key, at = b"whsec_of_stripe_itself", 1_793_782_800
    first, second = (
        b'{"id":"evt_1","pending_webhooks":2}',
        b'{"id":"evt_1","pending_webhooks":1}',
    )
    proven = [
        prove(
            "stripe",
            {"stripe-signature": f"t={when},v1={stripe(body, key, when)}"},
            body,
            when,
            key,
        )
        for body, when in ((first, at), (second, at + 60))
    ]

    assert proven[0] == proven[1]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"id":1}', b'{"id":""}', b'{"id":"' + b"x" * 201 + b'"}'],
)
def test_body_without_an_id_is_known_by_all_that_is_signed(body: bytes) -> None:
    key, at = b"whsec_of_stripe_itself", 1_793_782_800
    keys = {
        prove(
            "stripe",
            {"stripe-signature": f"t={when},v1={stripe(body, key, when)}"},
            body,
            when,
            key,
        ).key
        for when in (at, at + 1)
    }

    assert len(keys) == 2


def test_grafana_signs_the_body_alone_or_with_the_time() -> None:
    key, body, at = b"a-secret-of-grafana", b"{}", 1_793_782_800
    alone = {"x-grafana-alerting-signature": new(key, body, sha256).hexdigest()}
    timed = {
        "x-grafana-alerting-timestamp": str(at),
        "x-grafana-alerting-signature": stripe(body, key, at),
    }
    both = {
        "x-grafana-alerting-timestamp": str(at),
        "x-grafana-alerting-signature": new(
            key, b"%d:" % at + body, sha256
        ).hexdigest(),
    }

    assert prove("grafana", alone, body, at + 9_999, key)
    assert prove("grafana", both, body, at + 300, key)
    for headers, when in ((timed, at), (both, at + 301), ({**alone, **both}, at - 301)):
        with pytest.raises(Unauthenticated):
            prove("grafana", headers, body, when, key)


def test_time_that_is_sent_must_be_the_one_that_is_signed() -> None:
    key, body, at = b"a-secret-of-grafana", b"{}", 1_793_782_800
    headers = {
        "x-grafana-alerting-timestamp": str(at),
        "x-grafana-alerting-signature": new(key, body, sha256).hexdigest(),
    }

    with pytest.raises(Unauthenticated, match="does not fit"):
        prove("grafana", headers, body, at, key)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("keys", [(), (b"",)])
def test_no_key_or_an_empty_one_lets_nobody_in(
    scheme: str, keys: tuple[bytes, ...]
) -> None:
    """`R-05`: signatures made with the empty key count for nothing."""
    body, at = b"{}", 1_793_782_800
    seconds = str(at)
    empty = {
        "x-hub-signature-256": "sha256=" + new(b"", body, sha256).hexdigest(),
        "x-gitlab-token": " ",
        "stripe-signature": f"t={at},v1={stripe(body, b'', at)}",
        "x-slack-request-timestamp": seconds,
        "x-slack-signature": "v0="
        + new(b"", b"v0:%d:" % at + body, sha256).hexdigest(),
        "x-grafana-alerting-signature": new(b"", body, sha256).hexdigest(),
        "webhook-id": "m",
        "webhook-timestamp": seconds,
        "webhook-signature": "v1,AAAA",
    }

    with pytest.raises(Unauthenticated):
        prove(scheme, empty, body, at, *keys)
