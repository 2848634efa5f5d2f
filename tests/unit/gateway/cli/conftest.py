"""A stub of the wire, and a terminal whose streams can be read."""

import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.app import main
from gateway.cli.terminal import Terminal


@dataclass(frozen=True, kw_only=True)
class Request:
    """What reached the stub."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def line(self) -> str:
        """The command line in it."""
        return str(self.body["line"])


@dataclass(frozen=True, kw_only=True)
class Canned:
    """What the stub answers; bytes go out as they are, `None` breaks the connection."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class StubGateway:
    """Answers HTTP with canned answers, in order, the last one for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Canned] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        """Line up one more answer."""
        self.answers.append(Canned(body=body, status=status, headers=headers))

    def next_answer(self) -> Canned:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                raw = self.rfile.read(size)
                stub.requests.append(
                    Request(
                        method=self.command,
                        path=self.path,
                        headers={k.lower(): v for k, v in self.headers.items()},
                        body=json.loads(raw) if raw else None,
                    )
                )
                canned = stub.next_answer()
                if canned.body is None:
                    self.close_connection = True
                    return
                is_raw = isinstance(canned.body, bytes)
                body = canned.body if is_raw else json.dumps(canned.body).encode()
                self.send_response(canned.status)
                self.send_header("content-length", str(len(body)))
                for name, text in canned.headers.items():
                    self.send_header(name.replace("_", "-"), text)
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_request(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(kw_only=True)
class Console:
    """Runs `ops` in this process and keeps what it printed."""

    environ: dict[str, str]
    pauses: list[float] = field(default_factory=list)
    pause: Callable[[float], None] | None = None
    out: str = ""
    err: str = ""

    def run(self, *words: str, typed: str | None = None, piped: str = "") -> int:
        """Run `ops`; with `typed` a person sits at a terminal and types that."""
        stream: Callable[..., io.StringIO] = io.StringIO if typed is None else Screen
        terminal = Terminal(
            source=stream(piped if typed is None else typed),
            out=stream(),
            err=stream(),
            environ=self.environ,
            pause=self.pause or self.pauses.append,
        )
        code = main(words, terminal)
        assert isinstance(terminal.out, io.StringIO)
        assert isinstance(terminal.err, io.StringIO)
        self.out, self.err = terminal.out.getvalue(), terminal.err.getvalue()
        return code


def a_reply(summary: str = "Done", **facts: Any) -> dict[str, Any]:
    """Build the JSON of a reply as the gateway sends it."""
    return {
        "summary": summary, "blocks": [], "data": {}, "status": "ok", "undo": None,
        "error": None, "id": "rp_1", "request_id": "rq_1", "command": "whoami",
        "url": "", "actor": "ann", "channel": "cli", "replayed": False, **facts,
    }  # fmt: skip


def an_error(status: int, code: str = "conflict", **facts: Any) -> dict[str, Any]:
    """Build the JSON of a refusal."""
    error = {
        "type": f"/docs/errors/{code}", "code": code, "title": "No", "detail": "it is not",
        "status": status, "fix": ["lease show L-3"], "extra": {}, **facts,
    }  # fmt: skip
    return a_reply("No: it is not", status="error", error=error)


@pytest.fixture
def stub() -> Iterator[StubGateway]:
    """A stub of the wire on a free port."""
    server = StubGateway()
    yield server
    server.close()


@pytest.fixture
def ops(stub: StubGateway, tmp_path: Path) -> Console:
    """The `ops` program, signed in with a key at the stub."""
    return Console(environ={
        "OPSWIRE_URL": stub.url, "OPSWIRE_API_KEY": "ops_live_ann", "HOME": str(tmp_path),
    })  # fmt: skip
