"""HTTP to a gateway, with what every request of `ops` needs.

It stands on `http.client`, which loads in a tenth of a client library's time; a
command is one request, so there is nothing to pool.
"""

import http.client
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import orjson

from core.kernel.problems import InvalidArgument, Unavailable

_TRIES = 3
_CONNECT_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0


class Credential(Protocol):
    """What a request signs in with."""

    def token(self) -> str:
        """Return the bearer token in force, "" for none."""

    def renew(self) -> bool:
        """Replace a token that was refused; tell whether there is a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole HTTP response; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Sends requests to one gateway.

    Units:  `read_seconds` is the longest silence while an answer is awaited.
    """

    url: str
    credential: Credential
    pause: Callable[[float], None]
    conversation: str = ""
    read_seconds: float = 120.0

    def post(self, path: str, body: object, *, key: str = "") -> Answer:
        """Send JSON, up to three times under the same idempotency key.

        Raises: Unavailable when no gateway answers.
        """
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        return self._signed("POST", path, _encoded(body), headers)

    def get(self, path: str) -> Answer:
        """Fetch something.

        Raises: Unavailable when no gateway answers.
        """
        return self._signed("GET", path, None, {})

    def open(self, path: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Begin a response that goes on for long; closing it closes the connection.

        Raises: OSError, HTTPException.
        """
        return self._request("GET", path, None, headers)

    def _signed(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        answer = self._tried(method, path, body, headers)
        if answer.status == http.client.UNAUTHORIZED and self.credential.renew():
            answer = self._tried(method, path, body, headers)
        return answer

    def _tried(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        answer: Answer | None = None
        for attempt in range(_TRIES):
            if attempt:
                self.pause(_pause_before(attempt, answer))
            try:
                answer = _read(self._request(method, path, body, headers))
            except TimeoutError as fault:
                raise Unavailable(
                    f"{self.url} has not answered in time", fix=["ops doctor"]
                ) from fault
            except (OSError, http.client.HTTPException):
                continue
            if answer.status != http.client.SERVICE_UNAVAILABLE:
                return answer
        if answer is None:
            raise Unavailable(
                f"no gateway answers on {self.url}", fix=["ops serve", "ops doctor"]
            )
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        base = urlsplit(self.url)
        connection = self._connect(base.scheme, base.netloc)
        try:
            connection.request(
                method,
                base.path.rstrip("/") + path,
                body,
                {**self._headers(), **headers},
            )
            return connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def _connect(self, scheme: str, place: str) -> http.client.HTTPConnection:
        if scheme not in ("http", "https") or not place:
            raise InvalidArgument(
                f"{self.url} is no address of a gateway",
                fix=["OPSWIRE_URL=http://host:8000"],
            )
        connection = (
            http.client.HTTPSConnection(place, timeout=_CONNECT_SECONDS)
            if scheme == "https"
            else http.client.HTTPConnection(place, timeout=_CONNECT_SECONDS)
        )
        try:
            connection.connect()
        except TimeoutError as fault:
            raise ConnectionError("no connection in time") from fault
        connection.sock.settimeout(self.read_seconds)
        return connection

    def _headers(self) -> dict[str, str]:
        headers = {
            "X-Opswire-Client": "cli",
            "Accept": "application/json",
            "Connection": "close",
        }
        if token := self.credential.token():
            headers["Authorization"] = f"Bearer {token}"
        if self.conversation:
            headers["X-Opswire-Conversation"] = self.conversation
        return headers


def jitter(attempt: int, *, base: float = 0.25, cap: float = 30.0) -> float:
    """Draw the seconds to wait before a further attempt: full jitter, growing cap."""
    return random.uniform(0, min(cap, base * 2**attempt))  # noqa: S311 - not a secret


def _pause_before(attempt: int, answer: Answer | None) -> float:
    wanted = answer.headers.get("retry-after", "") if answer else ""
    least = float(wanted) if wanted.isdigit() else 0.0
    return min(least + jitter(attempt), _LONGEST_PAUSE_SECONDS)


def _read(response: http.client.HTTPResponse) -> Answer:
    with response:
        body = response.read()
    headers = {name.lower(): text for name, text in response.getheaders()}
    return Answer(status=response.status, headers=headers, body=body)


def _encoded(body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as fault:
        raise InvalidArgument(
            "the command is not valid Unicode", fix=["use a UTF-8 terminal"]
        ) from fault
