"""The guarded HTTP client: where it goes, where it never goes, and what it puts up with."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from socket import gaierror

import pytest

from core.kernel.addresses import AddressRefused, parse_allowed
from core.kernel.problems import InvalidArgument
from gateway.adapters.exchange import Answer, Bounds
from gateway.adapters.outside import Outside, Resolve
from tests import spellings
from tests.certificates import make_certificate
from tests.receivers import (
    Act,
    Receiver,
    babbles,
    breaks_off,
    drips,
    floods,
    hangs,
    receiving,
    resets,
    says,
    waits,
)

LOOPBACK = parse_allowed("127.0.0.0/8")
QUICK = Bounds(connect_seconds=2, total_seconds=0.5)
OUTSIDE = "203.0.113.7"


class Names:
    """Names and what they resolve to; the answers of a name come in their order.

    Shape:  whatever is not known leads to loopback: no resolver could be worse.
    """

    def __init__(self, **names: Sequence[Sequence[str]]) -> None:
        self.asked: list[str] = []
        self._names = {
            name.replace("_", "."): list(found) for name, found in names.items()
        }

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._names.get(host, [["127.0.0.1"]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def outside(
    allow: str = "",
    *,
    resolve: Resolve | None = None,
    bounds: Bounds | None = None,
    trusted: ssl.SSLContext | None = None,
) -> AsyncIterator[Outside]:
    """Have a client, and let go of what it holds."""
    client = Outside(
        parse_allowed(allow), resolve=resolve, bounds=bounds, trusted=trusted
    )
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def canary() -> AsyncIterator[Receiver]:
    """A service inside that nobody may reach."""
    async with receiving(says(200, b"the crown jewels")) as receiver:
        yield receiver


@pytest.fixture
async def inside() -> AsyncIterator[Outside]:
    """A client that may reach loopback."""
    async with outside("127.0.0.0/8") as client:
        yield client


async def post(client: Outside, url: str, body: bytes = b"{}") -> Answer:
    return await client.post(url, headers={"X-Test": "1"}, body=body)


# ── nothing inside is reached ─────────────────────────────────────────────────
async def test_no_spelling_reaches_what_is_inside(canary: Receiver) -> None:
    """R-65: each spelling, by both schemes, through a resolver that knows them all."""
    async with outside(resolve=Names(), bounds=QUICK) as client:
        for host in spellings.HOSTS:
            for scheme in ("http", "https"):
                with pytest.raises((InvalidArgument, AddressRefused)):
                    await post(client, f"{scheme}://{host}:{canary.port}/")
        for url in spellings.URLS:
            with pytest.raises((InvalidArgument, AddressRefused)):
                await post(client, url.format(port=canary.port))

    assert canary.connections == 0


async def test_the_resolver_of_this_machine_is_not_believed(canary: Receiver) -> None:
    """R-65."""
    async with outside() as client:
        with pytest.raises(AddressRefused, match="loopback"):
            await post(client, f"https://localhost:{canary.port}/")

    assert canary.connections == 0


async def test_a_name_with_one_address_inside_is_refused(canary: Receiver) -> None:
    """R-65: all addresses are looked at, not the first."""
    names = Names(many_example=[[OUTSIDE, "1.1.1.1", "127.0.0.1"]])
    async with outside(resolve=names, bounds=QUICK) as client:
        with pytest.raises(AddressRefused):
            await post(client, f"https://many.example:{canary.port}/")

    assert canary.connections == 0


async def test_a_name_that_changes_its_mind_is_asked_once(canary: Receiver) -> None:
    """R-65: rebinding; what was checked is what is connected to."""
    names = Names(rebind_example=[["192.0.2.1"], ["127.0.0.1"]])
    bounds = Bounds(connect_seconds=0.2, total_seconds=1)
    # As if the documentation range were outside, which nothing in this room can be.
    async with outside("192.0.2.0/24", resolve=names, bounds=bounds) as client:
        with pytest.raises(OSError):
            await post(client, f"http://rebind.example:{canary.port}/")
        assert names.asked == ["rebind.example"]
        with pytest.raises(AddressRefused, match="leads to 127"):
            await post(client, f"http://rebind.example:{canary.port}/")

    assert names.asked == ["rebind.example"] * 2
    assert canary.connections == 0


async def test_a_checked_address_is_what_is_connected_to(canary: Receiver) -> None:
    """R-65: the name goes into the request, and never to the system."""
    async with outside("hooks.internal", resolve=Names()) as client:
        answer = await post(client, f"http://hooks.internal:{canary.port}/a?b=c")

    assert answer.status == 200
    (hit,) = canary.hits
    assert hit.headers["host"] == f"hooks.internal:{canary.port}"
    assert (hit.method, hit.path) == ("POST", "/a?b=c")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    inside: Outside, canary: Receiver, status: int
) -> None:
    """R-65, R-17."""
    to_canary = says(status, location=canary.url)
    async with receiving(to_canary) as receiver:
        answer = await post(inside, receiver.url)

    assert (answer.status, answer.headers["location"]) == (status, canary.url)
    assert canary.connections == 0


async def test_proxies_of_the_environment_are_not_used(
    canary: Receiver, monkeypatch: pytest.MonkeyPatch, inside: Outside
) -> None:
    """R-65: whoever sets a variable does not see what is sent."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")

    async with receiving() as receiver:
        await post(inside, receiver.url)

    assert len(receiver.hits) == 1
    assert canary.connections == 0


# ── who answers is who was meant ──────────────────────────────────────────────
@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1."""
    return make_certificate(tmp_path)


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_of_nobody_is_refused(
    inside: Outside, certificate: Path
) -> None:
    """R-65: also on loopback, once it is https."""
    async with receiving(tls=serving(certificate)) as receiver:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await post(inside, receiver.url)

    assert receiver.hits == []


async def test_a_certificate_must_bear_the_name_of_the_host(certificate: Path) -> None:
    """R-65: the address was checked, and the name is proven all the same."""
    trusted = ssl.create_default_context(cafile=str(certificate))
    async with (
        receiving(tls=serving(certificate)) as receiver,
        outside("127.0.0.0/8", resolve=Names(), trusted=trusted) as client,
    ):
        assert (await post(client, receiver.url)).status == 204
        with pytest.raises(OSError, match=r"[Hh]ostname mismatch"):
            await post(client, f"https://other.example:{receiver.port}/")

    assert len(receiver.hits) == 1


# ── what is put up with ───────────────────────────────────────────────────────
async def test_an_answer_is_given_as_it_was(inside: Outside) -> None:
    async with receiving(says(418, b"short\xff", retry_after="3")) as receiver:
        answer = await post(inside, receiver.url, b'{"a":1}')

    assert (answer.status, answer.body, answer.is_cut) == (418, b"short\xff", False)
    assert answer.headers["retry-after"] == "3"
    (hit,) = receiver.hits
    assert (hit.body, hit.headers["x-test"]) == (b'{"a":1}', "1")
    assert hit.headers["accept-encoding"] == "identity"


async def test_no_more_is_read_than_was_agreed(inside: Outside) -> None:
    """R-17: 64 KiB, and then the connection is dropped."""
    async with receiving() as receiver:
        receiver.script.append(floods(receiver))
        answer = await post(inside, receiver.url)
        assert (await post(inside, receiver.url)).status == 204

    assert (answer.status, len(answer.body), answer.is_cut) == (200, 65_536, True)
    assert receiver.connections == 2
    assert receiver.sent_bytes < 32 * 1_048_576


async def test_what_is_packed_stays_packed(inside: Outside) -> None:
    """R-17: a bomb of 50 MB is what it weighs on the way."""
    bomb = gzip.compress(b"0" * 50_000_000)
    async with receiving(says(200, bomb, content_encoding="gzip")) as receiver:
        answer = await post(inside, receiver.url)

    assert answer.body == bomb[:65_536]


@pytest.mark.parametrize("act", [hangs, drips], ids=["hang", "slow"])
async def test_who_takes_too_long_is_not_waited_for(act: object) -> None:
    """R-17."""
    async with (
        receiving(act) as receiver,  # type: ignore[arg-type]
        outside("127.0.0.0/8", bounds=QUICK) as client,
    ):
        with pytest.raises(TimeoutError, match=r"no answer within 0\.5 s"):
            await post(client, receiver.url)


_OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("act", "told", "fix"),
    [
        (resets, "cut the connection", "look at its log"),
        (breaks_off(b""), "cut the connection", "look at its log"),
        (breaks_off(_OK), "cut the connection", "look at its log"),
        (breaks_off(_OK + b"content-length: 9\r\n\r\nabc"), "cut", "look at its log"),
        (babbles, "no HTTP", "check the port"),
        (breaks_off(b"\x00\xff\r\n\r\n"), "no HTTP", "check the port"),
        (breaks_off(_OK + b"content-length: x\r\n\r\n"), "no HTTP", "check the port"),
        (breaks_off(b"HTTP/1.1 101 Switch\r\n\r\n"), "answered 101", "takes a POST"),
    ],
)
async def test_what_went_wrong_is_told_in_our_words(
    inside: Outside, act: Act, told: str, fix: str
) -> None:
    """R-17: with what to look at, and nothing of a library."""
    async with receiving(act) as receiver:
        with pytest.raises(ConnectionError, match=told) as fault:
            await post(inside, receiver.url)

    assert fix in str(fault.value)
    assert not any(word in str(fault.value) for word in ("bytearray", "illegal", "_"))


async def test_a_name_that_nobody_knows_is_told() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise gaierror(-2, "Name or service not known")

    async with outside(resolve=unknown) as client:
        with pytest.raises(ConnectionError, match=r"none\.example has no address"):
            await post(client, "https://none.example/")


async def test_a_head_without_an_end_is_cut(inside: Outside) -> None:
    """R-17: memory is bounded before the body, too."""
    async with receiving() as receiver:
        receiver.script.append(floods(receiver, b"HTTP/1.1 200 OK\r\nx: "))
        with pytest.raises(ConnectionError, match="headers without an end: have it"):
            await post(inside, receiver.url)

    assert receiver.sent_bytes < 32 * 1_048_576


async def test_nobody_there_is_told(inside: Outside) -> None:
    async with receiving() as receiver:
        port = receiver.port
    with pytest.raises(ConnectionError, match=r"refused|failed"):
        await post(inside, f"http://127.0.0.1:{port}/")


async def test_a_name_without_an_address_may_have_one_later() -> None:
    async with outside(resolve=Names(none_example=[[]])) as client:
        with pytest.raises(OSError, match="no address just now"):
            await post(client, "https://none.example/")


async def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(3600)
        return ()

    bounds = Bounds(connect_seconds=0.05)
    async with outside(resolve=never, bounds=bounds) as client:
        with pytest.raises(TimeoutError, match=r"no connection within 0\.05 s"):
            await post(client, "https://hooks.example.com/")


async def test_the_next_address_is_tried_when_one_refuses(canary: Receiver) -> None:
    names = Names(two_internal=[["127.0.0.9", "127.0.0.1"]])
    async with outside("two.internal", resolve=names) as client:
        answer = await post(client, f"http://two.internal:{canary.port}/")

    assert answer.status == 200


async def test_connections_are_used_again_and_are_few() -> None:
    """However many are to be sent at once."""
    async with (
        receiving(waits(0.01, says(204))) as receiver,
        outside("127.0.0.0/8", bounds=Bounds(connections=4)) as client,
    ):
        answers = await asyncio.gather(*(post(client, receiver.url) for _ in range(40)))

    assert {each.status for each in answers} == {204}
    assert receiver.connections <= 4
