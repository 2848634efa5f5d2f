"""Signed requests: what Slack did not sign, just now, has no effect."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from channels.slack.http import Seal
from channels.testing.slack import FakeSlack
from channels.testing.slack.delivery import Answered, encode, post, sign
from channels.testing.slack.payloads import slash
from core.kernel.clock import SystemClock
from core.kernel.problems import InvalidArgument
from tests.integration.slack.conftest import ANN, OPS, ServeSlack, SlackGateway, until

FORM = "application/x-www-form-urlencoded"
MINUTES_5 = 300

Forge = Callable[[bytes, str, float], tuple[bytes, Mapping[str, str]]]


def _rehashed(body: bytes, secret: str, at: float) -> tuple[bytes, Mapping[str, str]]:
    return body, sign(secret, body, at=at)


def _with(**changes: str | None) -> Forge:
    """Sign rightly, then change headers; None takes one away."""

    def forge(body: bytes, secret: str, at: float) -> tuple[bytes, Mapping[str, str]]:
        signed = sign(secret, body, at=at)
        names = {"stamp": "X-Slack-Request-Timestamp", "proof": "X-Slack-Signature"}
        for name, value in changes.items():
            if value is None:
                del signed[names[name]]
            else:
                signed[names[name]] = value
        return body, signed

    return forge


def _at(offset: float) -> Forge:
    return lambda body, secret, at: _rehashed(body, secret, at + offset)


def _mutated(change: Callable[[bytes], bytes]) -> Forge:
    return lambda body, secret, at: (change(body), sign(secret, body, at=at))


def _digest(body: bytes, secret: str, at: float) -> str:
    return sign(secret, body, at=at)["X-Slack-Signature"]


FORGERIES: Mapping[str, Forge] = {
    "no headers": lambda body, _secret, _at: (body, {}),
    "no timestamp": _with(stamp=None),
    "no signature": _with(proof=None),
    "empty timestamp": _with(stamp=""),
    "empty signature": _with(proof=""),
    "only the version": _with(proof="v0="),
    "zeros": _with(proof="v0=" + "0" * 64),
    "too short": _with(proof="v0=" + "a" * 63),
    "too long": _with(proof="v0=" + "a" * 65),
    "another version": _with(proof="v1=" + "a" * 64),
    "not hexadecimal": _with(proof="v0=" + "z" * 64),
    "not ASCII": _with(proof="v0=" + "\u00e4" * 64),
    "timestamp is a word": _with(stamp="now"),
    "timestamp is negative": _with(stamp="-1"),
    "timestamp is a fraction": _with(stamp="1.5"),
    "timestamp is infinite": _with(stamp="inf"),
    "timestamp has other digits": _with(stamp="\u0661\u0662\u0663"),
    "timestamp is endless": _with(stamp="9" * 400),
    "timestamp is another": _with(stamp="1700000000"),
    "six minutes old": _at(-MINUTES_5 - 60),
    "an hour old": _at(-3_600),
    "six minutes ahead": _at(MINUTES_5 + 60),
    "a day ahead": _at(86_400),
    "from 1970": lambda body, secret, _at: _rehashed(body, secret, 0),
    "wrong secret": lambda body, _secret, at: _rehashed(body, "another-secret", at),
    "empty secret": lambda body, _secret, at: _rehashed(body, "", at),
    "secret in upper case": lambda body, secret, at: _rehashed(
        body, secret.upper(), at
    ),
    "secret with a space": lambda body, secret, at: _rehashed(body, f"{secret} ", at),
    "a byte more": _mutated(lambda body: body + b"\n"),
    "a byte less": _mutated(lambda body: body[:-1]),
    "a byte changed": _mutated(lambda body: body.replace(b"task", b"Task", 1)),
    "another command": _mutated(lambda body: body.replace(b"create", b"delete", 1)),
    "a field repeated": _mutated(lambda body: body + b"&text=status"),
    "empty body": _mutated(lambda _: b""),
    "not UTF-8": _mutated(lambda body: b"\xff\xfe" + body),
    "signed without the version": lambda body, secret, at: (
        body,
        {
            **sign(secret, body, at=at),
            "X-Slack-Signature": _digest(body, secret, at)[3:],
        },
    ),
    "signature of another moment": lambda body, secret, at: (
        body,
        {
            "X-Slack-Request-Timestamp": str(int(at)),
            "X-Slack-Signature": _digest(body, secret, at - 1),
        },
    ),
    "signature in upper case": lambda body, secret, at: (
        body,
        {
            **sign(secret, body, at=at),
            "X-Slack-Signature": _digest(body, secret, at).upper(),
        },
    ),
}


def command_of(fake: FakeSlack, text: str = "task create Fix") -> bytes:
    payload = slash(
        fake.home, ANN, OPS, text, trigger_id="1.2.3", response_url="https://x.example"
    )
    return encode("slash_commands", payload)[0]


async def send(
    gateway: SlackGateway, body: bytes, headers: Mapping[str, str]
) -> Answered:
    url = gateway.fake.outside.events_url
    encoded = {
        name: value.encode().decode("latin-1") for name, value in headers.items()
    }
    return await post(url, body, {"Content-Type": FORM, **encoded})


async def test_forged_requests_are_refused_and_have_no_effect(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-04: nothing is stored, nothing runs, nothing is answered."""
    gateway = await serve_slack(is_http=True)
    gateway.link("ann", ANN)
    now = SystemClock().now().timestamp()

    refused = {}
    for name, forge in FORGERIES.items():
        body, headers = forge(command_of(fake), fake.signing_secret, now)
        refused[name] = (await send(gateway, body, headers)).status

    assert refused == dict.fromkeys(FORGERIES, 401)
    assert gateway.count("inbox") == 0
    assert gateway.count("tasks") == 0
    assert fake.messages() == []


async def test_a_signature_beside_another_proves_nothing(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-04: whichever of the two somebody in between would have read."""
    await serve_slack(is_http=True)
    body = command_of(fake)
    now = SystemClock().now().timestamp()
    good = [*sign(fake.signing_secret, body, at=now).items(), ("Content-Type", FORM)]
    bad = ("X-Slack-Signature", "v0=" + "0" * 64)

    async with httpx2.AsyncClient() as client:
        refused = [
            await client.post(fake.outside.events_url, content=body, headers=headers)
            for headers in ([bad, *good], [*good, bad])
        ]

    assert [each.status_code for each in refused] == [401, 401]


async def test_a_signed_request_is_taken_up_to_five_minutes_off(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack(is_http=True)
    gateway.link("ann", ANN)
    now = SystemClock().now().timestamp()
    body = command_of(fake)

    early = await send(gateway, body, sign(fake.signing_secret, body, at=now + 290))
    late = await send(gateway, body, sign(fake.signing_secret, body, at=now - 290))

    assert (early.status, late.status) == (200, 200)
    await until(lambda: gateway.count("tasks") == 1)


async def test_the_same_signed_request_again_has_one_effect(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-07: Bolt itself would run it each time."""
    gateway = await serve_slack(is_http=True)
    gateway.link("ann", ANN)

    first = await fake.people.slash(ANN, OPS, 'task create "Fix login"')
    again = [await fake.outside.again() for _ in range(4)]

    assert all(each.is_ok for each in (first, *again))
    await gateway.answered()
    assert gateway.count("tasks") == 1
    assert gateway.count("inbox") == 1


async def test_the_address_is_verified_before_anything_is_installed(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack(is_http=True)
    asked = {"type": "url_verification", "challenge": "c-1", "token": "t"}
    body, content_type = encode("events_api", asked)

    answered = await gateway.fake.outside.post(body, content_type=content_type)

    assert answered == Answered(status=200, body={"challenge": "c-1"})


async def test_an_unknown_workspace_is_named_and_has_no_effect(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack(is_http=True)
    stranger = fake.add_workspace("stranger", team_id="T0STRANGE")

    answered = await fake.people_of(stranger).slash(ANN, OPS, "help")

    assert answered.is_ok
    assert gateway.count("inbox") == 0
    [door] = [each for each in gateway.served.graph.doors if each.spec.name == "slack"]
    [named] = [each for each in door.healths() if "T0STRANGE" in each.error]
    assert "workspace add" in named.fix


@pytest.mark.parametrize("secret", ["", " "])
async def test_without_a_signing_secret_everything_is_refused(
    fake: FakeSlack, serve_slack: ServeSlack, secret: str
) -> None:
    """R-05."""
    gateway = await serve_slack(is_http=True, signing_secret=SecretStr(secret))
    body = command_of(fake)
    now = SystemClock().now().timestamp()

    bare = await send(gateway, body, {})
    signed = [
        await send(gateway, body, sign(key, body, at=now)) for key in ("", " ", "k")
    ]

    assert {bare.status, *(each.status for each in signed)} == {503}
    assert gateway.count("inbox") == 0


async def test_a_secret_that_anybody_would_guess_stops_the_start(
    serve_slack: ServeSlack,
) -> None:
    """R-05."""
    with pytest.raises(InvalidArgument) as refused:
        await serve_slack(is_http=True, signing_secret=SecretStr("changeme"))

    assert "OPSWIRE_SLACK__SIGNING_SECRET" in refused.value.detail
    assert "changeme" not in str(refused.value.fix)


async def test_events_before_slack_has_vouched_for_the_token_are_sent_again(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """Which workspace is ours is known only once Slack has said so."""
    fake.script.add("500", method="auth.test")
    gateway = await serve_slack(is_http=True)

    answered = await fake.people.slash(ANN, OPS, "help")

    assert answered.status == 503
    assert gateway.count("inbox") == 0


def test_the_seal_is_never_open() -> None:
    """R-05: an empty key would sign for everybody."""
    for secret in ("", " ", "\n"):
        with pytest.raises(Exception, match="no signing secret") as refused:
            Seal(secret, SystemClock()).require({}, b"")
        assert refused.value.__class__.__name__ == "Unavailable"


def body_of(**fields: Any) -> bytes:
    return encode("events_api", fields)[0]


NONSENSE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"nonsense",
    b"payload=nonsense",
    b"payload=[]",
    body_of(type="event_callback"),
    body_of(type="event_callback", team_id="T0ACME001"),
    body_of(type="event_callback", team_id="T0ACME001", event={}),
    body_of(type="event_callback", team_id="T0ACME001", event={"type": "message"}),
    body_of(type="event_callback", team_id=[], event={"type": []}),
    body_of(type="block_actions", team={"id": "T0ACME001"}, actions=[]),
    body_of(type="view_submission", team={"id": "T0ACME001"}, view={}),
]


async def test_signed_nonsense_is_answered_and_has_no_effect(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-56: whatever is signed, the next command is served."""
    gateway = await serve_slack(is_http=True)

    answered = [(body, (await fake.outside.post(body)).status) for body in NONSENSE]
    after = await fake.people.slash(ANN, OPS, "help")

    assert [each for each in answered if each[1] not in (200, 400, 404)] == []
    assert after.is_ok
    assert gateway.count("inbox") == 1
