"""Every kind of sender, imitated in every way we know: nobody is let in, nothing happens.

Each case spoils one thing of a delivery that would be taken as it was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx2
import pytest

from channels.testing.webhook import sign_as
from core.hooks import service as hooks
from core.hooks import store
from core.hooks.model import HookAuth, PayloadMap
from core.kernel.principal import Principal, system
from tests.integration.webhook.conftest import World, settled

BODY = b'{"id": "evt_1", "title": "Fix login", "note": "caf\xc3\xa9"}'
TO_TASK = PayloadMap(command="task create", arguments={"title": "title"})
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
OTHER = "whsec_C2FVsBQIhrscChlQIMV8b5sSYspob7oD"  # pragma: allowlist secret


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of sender: how it signs, and which header holds what."""

    auth: HookAuth
    signs_as: str
    signature: str
    seconds: str = ""
    covers_body: bool = True
    taken: int = 202


KINDS = {
    "standard": Kind(
        auth=HookAuth.STANDARD,
        signs_as="standard",
        signature="webhook-signature",
        seconds="webhook-timestamp",
    ),
    "github": Kind(
        auth=HookAuth.GITHUB, signs_as="github", signature="x-hub-signature-256"
    ),
    "gitlab": Kind(
        auth=HookAuth.GITLAB,
        signs_as="gitlab",
        signature="x-gitlab-token",
        covers_body=False,
    ),
    "gitlab signed": Kind(
        auth=HookAuth.GITLAB,
        signs_as="standard",
        signature="webhook-signature",
        seconds="webhook-timestamp",
    ),
    "stripe": Kind(
        auth=HookAuth.STRIPE, signs_as="stripe", signature="stripe-signature"
    ),
    "slack": Kind(
        auth=HookAuth.SLACK,
        signs_as="slack",
        signature="x-slack-signature",
        seconds="x-slack-request-timestamp",
        taken=200,
    ),
    "grafana": Kind(
        auth=HookAuth.GRAFANA,
        signs_as="grafana",
        signature="x-grafana-alerting-signature",
        seconds="x-grafana-alerting-timestamp",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What is sent; the headers are bytes, for what is spoilt may be no text."""

    kind: Kind
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def value(self, name: str) -> bytes:
        """Read one header."""
        return dict(self.headers)[name.encode()]

    def having(self, name: str, value: bytes) -> "Delivery":
        """Replace one header."""
        kept = [each for each in self.headers if each[0] != name.encode()]
        return replace(self, headers=[*kept, (name.encode(), value)])

    def without(self, name: str) -> "Delivery":
        """Leave one header out."""
        kept = [each for each in self.headers if each[0] != name.encode()]
        return replace(self, headers=kept)

    def twice(self, name: str) -> "Delivery":
        """Send one header two times."""
        again = (name.encode(), self.value(name))
        return replace(self, headers=[*self.headers, again])

    def beside_bad(self, place: int) -> "Delivery":
        """Send a signature that is no good beside the one that is."""
        bad = (self.kind.signature.encode(), b"v1,AAAA")
        return replace(
            self, headers=[*self.headers[:place], bad, *self.headers[place:]]
        )


Change = Callable[[Delivery], Delivery]


def a_delivery(
    kind: Kind, now: datetime, *, body: bytes = BODY, secret: str = SECRET
) -> Delivery:
    headers = sign_as(kind.signs_as, body, secret=secret, now=now)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Delivery(kind=kind, headers=raw, body=body)


# ── what can be spoilt ────────────────────────────────────────────────────────
def signature(change: Callable[[bytes], bytes]) -> Change:
    """Spoil the header that proves who sent it."""
    return lambda given: given.having(
        given.kind.signature, change(given.value(given.kind.signature))
    )


def seconds(value: bytes) -> Change:
    return lambda given: given.having(given.kind.seconds, value)


def text(change: Callable[[bytes], bytes]) -> Change:
    return lambda given: replace(given, body=change(given.body))


def flipped(place: float) -> Callable[[bytes], bytes]:
    """Flip one bit of the byte at a place between the first (0) and the last (1)."""

    def flip(raw: bytes) -> bytes:
        at = round(place * (len(raw) - 1))
        return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]

    return flip


OF_SIGNATURES: dict[str, Change] = {
    "missing": lambda given: given.without(given.kind.signature),
    "empty": signature(lambda _: b""),
    "blank": signature(lambda _: b"   "),
    "first byte": signature(flipped(0)),
    "early byte": signature(flipped(0.3)),
    "middle byte": signature(flipped(0.45)),
    "cut": signature(lambda given: given[: len(given) // 2]),
    "only its beginning": signature(lambda given: given[:3]),
    "zeros": signature(lambda _: b"0" * 64),
    "no text": signature(lambda _: b"\xff\xfe\x80"),
    "garbled": signature(lambda given: given[::-1]),
    "no headers": lambda given: replace(given, headers=[]),
    "huge": signature(lambda _: b"v1=" + b"a" * 9_000),
    "quoted": signature(lambda given: b'"' + given + b'"'),
    "sent twice": lambda given: given.twice(given.kind.signature),
    "after a bad one": lambda given: given.beside_bad(0),
    "before a bad one": lambda given: given.beside_bad(len(given.headers)),
}
OF_HEX: dict[str, Change] = {
    "last byte": signature(flipped(1)),
    "too short": signature(lambda given: given[:-1]),
    "too long": signature(lambda given: given + b"0"),
    "upper case": signature(lambda given: given.upper()),
}
OF_BODIES: dict[str, Change] = {
    "first byte of the body": text(flipped(0)),
    "middle byte of the body": text(flipped(0.5)),
    "last byte of the body": text(flipped(1)),
    "body with a newline": text(lambda given: given + b"\n"),
    "body written anew": text(lambda given: given.replace(b": ", b":")),
    "body in other letters": text(lambda given: given.replace(b"\xc3\xa9", b"\\u00e9")),
    "body in another encoding": text(lambda given: given.decode().encode("utf-16")),
    "no body": text(lambda _: b""),
    "body twice": text(lambda given: given * 2),
}
OF_TIMES: dict[str, Change] = {
    "no time": lambda given: given.without(given.kind.seconds),
    "empty time": seconds(b""),
    "other time": seconds(b"1793782801"),
    "no number": seconds(b"now"),
    "fraction": seconds(b"1793782800.0"),
    "negative": seconds(b"-1"),
    "other digits": seconds("١٧٩٣٧٨٢٨٠٠".encode()),
    "endless": seconds(b"9" * 40),
    "time twice": lambda given: given.twice(given.kind.seconds),
}


def cases() -> Iterator[tuple[str, str]]:
    """List every kind with everything that can be spoilt of it."""
    for name, kind in KINDS.items():
        is_hex = kind.signature not in ("webhook-signature", "stripe-signature")
        wanted = {
            **OF_SIGNATURES,
            **(OF_HEX if is_hex else {}),
            **(OF_BODIES if kind.covers_body else {}),
            **(OF_TIMES if kind.seconds else {}),
        }
        yield from ((name, each) for each in wanted)


CHANGES = {**OF_SIGNATURES, **OF_HEX, **OF_BODIES, **OF_TIMES}


def an_endpoint(world: World, by: Principal, kind: Kind) -> None:
    world.db.run(
        lambda tx: hooks.create(
            tx, "shop", [TO_TASK], auth=kind.auth, vault=world.vault, secret=SECRET
        ),
        by=by,
    )


async def send(world: World, given: Delivery) -> httpx2.Response:
    async with world.client() as client:
        return await client.post(
            "/v1/channels/webhook/shop", content=given.body, headers=given.headers
        )


@pytest.mark.parametrize(("name", "spoilt"), list(cases()))
async def test_spoilt_delivery_is_refused_without_effect(
    world: World, person: Principal, name: str, spoilt: str
) -> None:
    """`R-04`: one thing wrong is 401, and nothing but the refusal is written down."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)

    answer = await send(world, CHANGES[spoilt](a_delivery(kind, world.clock.now())))

    assert answer.status_code == 401
    assert world.count("inbox") == 0
    assert world.audits()[-1]["verdict"] == "denied"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "secret",
    # To an HMAC a key of zeros is the empty one.
    [OTHER, SECRET + "BBBB", SECRET[:-4], "whsec_AAAA", SECRET.lower()],
    ids=["another", "longer", "shorter", "empty", "lower case"],
)
async def test_delivery_signed_with_another_secret_is_refused(
    world: World, person: Principal, name: str, secret: str
) -> None:
    """`R-04`."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)

    answer = await send(world, a_delivery(kind, world.clock.now(), secret=secret))

    assert answer.status_code == 401
    assert world.count("inbox") == 0


TIMED = [name for name, kind in KINDS.items() if kind.seconds or name == "stripe"]


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(
    ("late", "is_taken"),
    [(300, True), (301, False), (-300, True), (-301, False), (86400, False)],
)
async def test_signed_time_counts_for_five_minutes_either_way(
    world: World, person: Principal, name: str, late: int, is_taken: bool
) -> None:
    """`R-04`."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)
    then = world.clock.now() - timedelta(seconds=late)

    answer = await send(world, a_delivery(kind, then))

    assert answer.status_code == (kind.taken if is_taken else 401)


@pytest.mark.parametrize("name", KINDS)
async def test_delivery_as_it_was_is_taken_once(
    running: World, person: Principal, name: str
) -> None:
    """`R-04`, `R-07`: the same delivery again has its first answer and no effect."""
    kind = KINDS[name]
    an_endpoint(running, person, kind)
    given = a_delivery(kind, running.clock.now())

    first = await send(running, given)
    await settled(running)
    again = await send(running, given)

    assert (first.status_code, again.status_code) == (kind.taken, 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert [task.title for task in running.tasks()] == ["Fix login"]


@pytest.mark.parametrize("name", ["github", "stripe", "slack", "grafana"])
async def test_message_is_known_by_what_is_signed(
    running: World, person: Principal, name: str
) -> None:
    """`R-04`: a captured delivery under a new id, with other news, is still the same."""
    kind = KINDS[name]
    an_endpoint(running, person, kind)
    given = a_delivery(kind, running.clock.now())
    await send(running, given)
    await settled(running)

    disguised = given.having("x-github-delivery", b"another")
    for header in ("idempotency-key", "webhook-id", "x-gitlab-event-uuid"):
        disguised = disguised.having(header, b"another")
    answer = await send(running, disguised)

    assert answer.status_code == 200
    assert len(running.tasks()) == 1


# ── rotation ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", KINDS)
async def test_old_secret_counts_during_the_overlap_and_no_longer(
    world: World, person: Principal, name: str
) -> None:
    """`R-06`: both during the rotation, then the new one alone."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)
    world.db.run(
        lambda tx: hooks.rotate(
            tx, "shop", vault=world.vault, overlap=timedelta(hours=1), secret=OTHER
        ),
        by=person,
    )

    async def status_of(body: bytes, secret: str) -> int:
        now = world.clock.now()
        answer = await send(world, a_delivery(kind, now, body=body, secret=secret))
        return answer.status_code

    during = [
        await status_of(b'{"id": "a"}', SECRET),
        await status_of(b'{"id": "b"}', OTHER),
    ]
    world.clock.advance(timedelta(hours=1, seconds=1))
    after = [
        await status_of(b'{"id": "c"}', SECRET),
        await status_of(b'{"id": "d"}', OTHER),
    ]

    assert during == [kind.taken, kind.taken]
    assert after == [401, kind.taken]


@pytest.mark.parametrize("name", KINDS)
async def test_rotating_without_overlap_shuts_the_old_secret_out_at_once(
    world: World, person: Principal, name: str
) -> None:
    """`R-06`: a leaked secret is worth nothing from the answer on."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)
    world.db.run(
        lambda tx: hooks.rotate(
            tx, "shop", vault=world.vault, overlap=timedelta(), secret=OTHER
        ),
        by=person,
    )

    answer = await send(world, a_delivery(kind, world.clock.now()))

    assert answer.status_code == 401


async def test_only_one_old_secret_counts(world: World, person: Principal) -> None:
    """`R-06`: rotating again ends the overlap of the one before."""
    kind = KINDS["github"]
    an_endpoint(world, person, kind)
    for _ in range(2):
        world.db.run(lambda tx: hooks.rotate(tx, "shop", vault=world.vault), by=person)

    answer = await send(world, a_delivery(kind, world.clock.now()))

    assert answer.status_code == 401


async def test_secret_spoilt_in_the_database_lets_nobody_in(
    world: World, person: Principal
) -> None:
    """`R-05`: what cannot be opened is 503, and never open."""
    kind = KINDS["github"]
    an_endpoint(world, person, kind)
    blank = world.vault.seal(b" ", context="elsewhere")
    world.db.run(
        lambda tx: store.rotate(tx, "W-1", new=blank, old="", until=tx.now),
        by=system(),
    )

    answer = await send(world, a_delivery(kind, world.clock.now()))

    assert answer.status_code == 503
    assert world.count("inbox") == 0


# ── what is told ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", KINDS)
async def test_refusal_tells_nothing_of_what_was_wrong(
    world: World, person: Principal, name: str
) -> None:
    """`R-04`: no proof, a wrong one and an old one are answered in the same words."""
    kind = KINDS[name]
    an_endpoint(world, person, kind)
    now = world.clock.now()
    wrong = [
        a_delivery(kind, now).without(kind.signature),
        a_delivery(kind, now, secret=OTHER),
        a_delivery(kind, now).having(kind.signature, b"v1,"),
    ]
    if name in TIMED:
        wrong.append(a_delivery(kind, now - timedelta(hours=1)))

    answers = [await send(world, each) for each in wrong]

    told = {(each.status_code, each.json()["detail"]) for each in answers}
    assert told == {(401, "the delivery does not prove who sent it")}


async def test_slack_is_told_what_it_understands(
    world: World, person: Principal
) -> None:
    """Whatever is not 200 is a failure to it, and its words are shown to a person."""
    kind = KINDS["slack"]
    an_endpoint(world, person, kind)

    answer = await send(world, a_delivery(kind, world.clock.now()))

    assert answer.status_code == 200
    assert answer.json() == {"response_type": "ephemeral", "text": "Received."}


async def test_slack_gets_its_challenge_back(world: World, person: Principal) -> None:
    """Only who signed it does, and it is no delivery."""
    kind = KINDS["slack"]
    an_endpoint(world, person, kind)
    body = b'{"type": "url_verification", "challenge": "3eZbrw1a"}'
    now = world.clock.now()

    good = await send(world, a_delivery(kind, now, body=body))
    bad = await send(world, a_delivery(kind, now, body=body, secret=OTHER))

    assert (good.status_code, good.json()) == (200, {"challenge": "3eZbrw1a"})
    assert bad.status_code == 401
    assert world.count("inbox") == 0
