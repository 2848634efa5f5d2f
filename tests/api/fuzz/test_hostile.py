"""Ten thousand hostile inputs, and a gateway that is as well as before."""

import random
import resource
from collections.abc import Sequence
from typing import TypeVar

import orjson
import pytest

from tests.api.fuzz.json_cases import bodies
from tests.api.fuzz.strings import FAMILIES
from tests.api.gateway import ADMIN_KEY, Answer, Gateway

JSON = list(bodies().values())
TEXTS = [text for texts in FAMILIES.values() for text in texts if len(text) < 20_000]
KEY = f"Bearer {ADMIN_KEY}"
HEADERS = (
    "Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "If-Match",
    "If-None-Match", "X-Opswire-Conversation", "X-Opswire-Client", "Last-Event-ID", "Accept",
)  # fmt: skip
METHODS = (
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
)

One = TypeVar("One")
Request = tuple[str, str, bytes | None, dict[str, str]]


class Attacker:
    """Makes the same hostile requests whenever it begins with the same seed."""

    def __init__(self, seed: int, document: dict[str, dict[str, object]]) -> None:
        self._dice = random.Random(seed)
        self._routes = [
            (method.upper(), path)
            for path, methods in document["paths"].items()
            for method, operation in dict(methods).items()  # type: ignore[call-overload]
            if "text/event-stream" not in str(operation)
        ]

    def request(self) -> Request:
        method, path = self._one(self._routes)
        if self._is_rare(8):
            method = self._one(METHODS)
        while "{" in path:
            head, _, tail = path.partition("{")
            path = head + self._quoted(self._text()) + tail.partition("}")[2]
        if self._is_rare(3):
            path += f"?{self._quoted(self._text())}={self._quoted(self._text())}"
        headers = {"authorization": KEY, "content-type": "application/json"}
        if self._is_rare(3):
            name = self._one(HEADERS).lower()
            headers[name] = self._text().encode("ascii", "ignore").decode()[:9_000]
        return method, path, self._body(), headers

    def _body(self) -> bytes | None:
        match self._dice.randrange(6):
            case 0:
                return None
            case 1:
                return self._one(JSON)
            case 2:
                return self._dice.randbytes(self._dice.randrange(200))
            case 3:
                return orjson.dumps({"line": self._line()})
            case 4:
                return orjson.dumps({"lines": [self._line(), self._text()]})
        return orjson.dumps({self._name(): self._value() for _ in range(3)})

    def _line(self) -> str:
        verb = self._one(
            ("task create", "task list", "event add", "lease acquire", "help", "")
        )
        return f"{verb} {self._text()} --{self._name()} {self._text()}"

    def _name(self) -> str:
        return self._one(("title", "limit", "cursor", "dry_run", "args", self._text()))

    def _value(self) -> object:
        return self._one((
            self._text(), 2**63, -1, 0, 1e308, True, None, [], {}, [self._text()] * 99,
            {"a": {"b": [self._text()]}}, 2**64 - 1, "T-1", "15m", "x" * 9_000,
        ))  # fmt: skip

    def _text(self) -> str:
        return self._one(TEXTS)

    def _one(self, choices: Sequence[One]) -> One:
        return self._dice.choice(choices)

    def _is_rare(self, one_in: int) -> bool:
        return self._dice.randrange(one_in) == 0

    def _quoted(self, text: str) -> str:
        encoded = text.encode("utf-8", "surrogatepass")[:300]
        return "".join(f"%{byte:02x}" for byte in encoded)


def complaint(answer: Answer, method: str) -> str:
    """Say what is wrong with an answer, "" if nothing is."""
    if answer.status >= 500:
        return "a fault of ours"
    if answer.status < 400 or method == "HEAD":
        return ""
    error = answer.error
    if not error or not error["code"] or not error["detail"]:
        return "no code or no detail"
    return "" if error["fix"] else "no fix"


async def attack(gateway: Gateway, *, count: int, seed: int) -> None:
    document = (await gateway.send("GET", "/openapi.json", None, {})).body
    attacker = Attacker(seed, document)
    for number in range(count):
        method, path, body, headers = attacker.request()

        answer = await gateway.send(method, path, body, headers)

        wrong = complaint(answer, method)
        assert not wrong, (number, wrong, method, path, body, headers, answer)


def peak_bytes() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def require_well(gateway: Gateway) -> None:
    assert (await gateway.send("GET", "/readyz", None, {})).status == 200
    made = await gateway.admin.post("/collab/tasks", {"title": "Fix login"})
    assert made.status == 201
    assert gateway.is_intact()


async def test_hostile_input_is_refused_with_what_mends_it(gateway: Gateway) -> None:
    """R-51, R-52: a code, what is wrong and a fix; never a 5xx."""
    await attack(gateway, count=1_500, seed=1)

    await require_well(gateway)


@pytest.mark.soak
async def test_ten_thousand_hostile_inputs_leave_it_well(gateway: Gateway) -> None:
    """R-51: and less than 150 MB bigger."""
    await attack(gateway, count=500, seed=2)
    before = peak_bytes()

    await attack(gateway, count=10_000, seed=3)

    assert peak_bytes() - before < 150 * 1024 * 1024
    await require_well(gateway)
