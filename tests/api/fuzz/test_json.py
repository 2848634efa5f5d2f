"""R-51: JSON that is none is refused, JSON that is some is read, and nothing breaks."""

from collections.abc import Callable, Mapping

import pytest

from tests.api.fuzz.json_cases import bodies
from tests.api.gateway import ADMIN_KEY, Answer, Gateway

CASES = bodies()
KEY = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
DOORS = ("/v1/commands", "/v1/commands/batch", "/collab/events")


def whole(path: str, case: bytes) -> bytes:
    """The case is the body."""
    return case


def inside(path: str, case: bytes) -> bytes:
    """The case is a value deep in a body that is fine."""
    if path == "/v1/commands":
        return (
            b'{"command":"event.add","args":{"event":"fuzzed","details":{"it":%s}}}'
            % case
        )
    if path == "/v1/commands/batch":
        return b'{"lines":["whoami"],"keep_going":%s}' % case
    return b'{"event":"fuzzed","details":{"it":%s}}' % case


async def post(gateway: Gateway, path: str, body: bytes) -> Answer:
    return await gateway.send("POST", path, body, KEY)


def test_there_are_enough_cases() -> None:
    """R-51: at least 300, of all three kinds."""
    kinds = {name[:2] for name in CASES}

    assert len(CASES) >= 300
    assert kinds == {"y_", "n_", "i_"}


@pytest.mark.parametrize("place", [whole, inside])
@pytest.mark.parametrize("path", DOORS)
async def test_only_json_is_read_as_json(
    gateway: Gateway, path: str, place: Callable[[str, bytes], bytes]
) -> None:
    """R-51: no 5xx, no `n_` taken, no `y_` called invalid."""
    for name, case in CASES.items():
        answer = await post(gateway, path, place(path, case))

        assert answer.status < 500, (name, answer)
        if name.startswith("n_"):
            assert 400 <= answer.status < 500, (name, answer)
        if answer.status >= 400:
            assert answer.error["code"], (name, answer)
            assert answer.error["fix"], (name, answer)
        if name.startswith("y_"):
            code = answer.error["code"] if answer.status >= 400 else ""
            assert code != "invalid_json", (name, answer)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b'{"title":"one","title":"two"}', "two"),
        (b'{"title":"caf\\u00e9 \\ud83d\\ude00"}', "café 😀"),
    ],
    ids=["of equal names the last counts", "escapes are read"],
)
async def test_json_is_read_as_everybody_reads_it(
    gateway: Gateway, body: bytes, title: str
) -> None:
    """R-51."""
    answer = await post(gateway, "/collab/tasks", body)

    assert answer.status == 201
    assert answer.body["title"] == title


LARGE: Mapping[str, bytes] = {
    "text": b'{"line":"' + b"a" * 1_000_000 + b'"}',
    "keys": b"{" + b",".join(b'"k%d":1' % i for i in range(80_000)) + b"}",
    "numbers": b'{"command":"x","args":{"n":[' + b",".join([b"1"] * 400_000) + b"]}}",
    "spaces": b" " * 1_000_000 + b'{"line":"whoami"}',
    "digits": b'{"line":' + b"9" * 1_000_000 + b"}",
    "escapes": b'{"line":"' + b"\\u0041" * 160_000 + b'"}',
    "brackets": b"[" * 1_000_000,
    "too large": b'{"line":"' + b"a" * 5_000_000 + b'"}',
}


@pytest.mark.parametrize("name", LARGE)
async def test_large_bodies_are_answered(gateway: Gateway, name: str) -> None:
    """R-51: read or refused, and what is above the limit with 413."""
    for path in DOORS:
        answer = await post(gateway, path, LARGE[name])

        assert answer.status < 500
        assert (answer.status == 413) == (name == "too large")
