"""The shell over a real WebSocket: replies, reconnecting, cancelling, completion."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from core.kernel.problems import InvalidArgument, Problem, Unauthenticated
from gateway.cli.exits import Exit
from gateway.cli.session import Key
from gateway.cli.shell.link import Link
from gateway.cli.shell.repl import GatewayCompleter, talk
from gateway.cli.terminal import Terminal
from tests.unit.gateway.cli.conftest import a_reply

ACTIONS = [{"t": "actions", "items": [
    {"label": "Claim", "command": "task claim T-1", "style": ""},
    {"label": "Open", "command": "task show T-1", "style": ""},
]}]  # fmt: skip


@dataclass
class StubSocket:
    """A gateway's WebSocket: answers exec frames unless told to keep them."""

    hellos: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    other: list[dict[str, Any]] = field(default_factory=list)
    welcome: dict[str, Any] = field(default_factory=dict)
    replies: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_answering: bool = True
    server: Server | None = None
    port: int = 0
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        self.server = await serve(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def until(self, is_met: Callable[[], bool]) -> None:
        """Wait until frames that have arrived meet a condition."""
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(is_met)

    def other_of(self, *kinds: str) -> list[dict[str, Any]]:
        """Frames of these kinds, as they came."""
        return [each for each in self.other if each["t"] in kinds]

    async def until_lines(self, count: int) -> None:
        """Wait until so many lines have arrived."""
        await self.until(lambda: len(self.lines) >= count)

    async def _serve(self, socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            self.hellos.append(json.loads(await socket.recv()))
            answer = {"t": "welcome", "session": "ws_1", "seq": 0, "pending": []}
            await socket.send(json.dumps({**answer, **self.welcome}))
            async for raw in socket:
                await self._take(socket, json.loads(raw))

    async def _take(self, socket: ServerConnection, frame: dict[str, Any]) -> None:
        if frame["t"] == "exec":
            self.lines.append(frame["line"])
            self.ids.append(frame["id"])
            if self.is_answering:
                done = a_reply(f"did {frame['line']}", blocks=ACTIONS)
                reply = self.replies.pop(0) if self.replies else done
                seq = len(self.lines)
                body = {"t": "reply", "seq": seq, "id": frame["id"], "reply": reply}
                await socket.send(json.dumps(body))
        elif frame["t"] == "complete":
            items = [{"text": "list", "start": 5, "kind": "command", "summary": "List"}]
            body = {"t": "completion", "id": frame["id"], "items": items}
            await socket.send(json.dumps(body))
        elif frame["t"] == "subscribe":
            self.other.append(frame)
            for event in self.events:
                await socket.send(
                    json.dumps({"t": "event", "id": frame["id"], "seq": 1, **event})
                )
        else:
            self.other.append(frame)
        async with self.arrived:
            self.arrived.notify_all()


@pytest.fixture
async def stub_socket() -> AsyncIterator[StubSocket]:
    stub = StubSocket()
    await stub.start()
    yield stub
    await stub.stop()


@dataclass
class Connected:
    """A link that is kept running, and what it told the person."""

    link: Link
    told: list[str]


@pytest.fixture
async def connected(stub_socket: StubSocket) -> AsyncIterator[Connected]:
    told: list[str] = []
    url = f"http://127.0.0.1:{stub_socket.port}"
    link = Link(url=url, credential=Key("ops_live_ann"), tell=told.append)
    running = asyncio.create_task(link.run())
    yield Connected(link, told)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_line_gets_its_reply(
    connected: Connected, stub_socket: StubSocket
) -> None:
    _, reply = await connected.link.ask("whoami")

    assert (await reply).summary == "did whoami"
    assert stub_socket.hellos == [
        {"t": "hello", "protocol": 1, "token": "ops_live_ann"}
    ]
    await stub_socket.until(lambda: {"t": "ack", "seq": 1} in stub_socket.other)


async def test_commands_run_side_by_side(
    connected: Connected, stub_socket: StubSocket
) -> None:
    replies = [(await connected.link.ask(f"task show T-{n}"))[1] for n in range(5)]

    summaries = [(await reply).summary for reply in replies]

    assert summaries == [f"did task show T-{n}" for n in range(5)]


async def test_lost_connection_resumes_and_repeats_under_the_same_id(
    connected: Connected, stub_socket: StubSocket
) -> None:
    """`R-03`: what was in flight is sent again and is the same command."""
    await (await connected.link.ask("whoami"))[1]
    stub_socket.is_answering = False
    exec_id, reply = await connected.link.ask("task create x")
    await stub_socket.until(lambda: exec_id in stub_socket.ids)

    await stub_socket.stop()
    stub_socket.is_answering = True
    await stub_socket.start()

    assert (await reply).summary == "did task create x"
    assert stub_socket.ids.count(exec_id) == 2
    assert stub_socket.hellos[1]["resume"] == {"session": "ws_1", "seq": 1}
    assert "trying again" in connected.told[0]
    assert connected.told[1:] == ["connected again"]


async def test_what_the_gateway_still_works_on_is_not_repeated(
    connected: Connected, stub_socket: StubSocket
) -> None:
    stub_socket.is_answering = False
    exec_id, _ = await connected.link.ask("run start deploy")
    await stub_socket.until(lambda: exec_id in stub_socket.ids)

    await stub_socket.stop()
    stub_socket.welcome = {"pending": [exec_id], "gap": True}
    await stub_socket.start()
    second, _ = await connected.link.ask("whoami")
    await stub_socket.until(lambda: second in stub_socket.ids)

    assert stub_socket.ids.count(exec_id) == 1
    assert "older replies of this session are gone" in connected.told


async def test_cancelled_command_is_no_longer_awaited(
    connected: Connected, stub_socket: StubSocket
) -> None:
    stub_socket.is_answering = False
    exec_id, reply = await connected.link.ask("run start deploy")
    await stub_socket.until(lambda: exec_id in stub_socket.ids)

    assert await connected.link.cancel(exec_id)

    await stub_socket.until(lambda: {"t": "cancel", "id": exec_id} in stub_socket.other)
    assert reply.cancelled()
    assert not await connected.link.cancel(exec_id)


async def test_completion_is_asked_of_the_gateway(
    connected: Connected, stub_socket: StubSocket
) -> None:
    await (await connected.link.ask("whoami"))[1]

    items = await connected.link.complete("task l", 6)

    assert [item["text"] for item in items] == ["list"]
    assert await connected.link.ask_once("task l") == items


@pytest.mark.parametrize(("code", "kind"), [
    ("unauthenticated", Unauthenticated), ("invalid_argument", Problem),
])  # fmt: skip
async def test_refusal_ends_the_link(
    code: str, kind: type[Problem], stub_socket: StubSocket
) -> None:
    stub_socket.welcome = {"t": "error", "code": code, "detail": "no", "fix": []}
    url = f"http://127.0.0.1:{stub_socket.port}"

    with pytest.raises(kind):
        await Link(url=url, credential=Key(), tell=print).run()


async def test_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        await Link(url="http://", credential=Key(), tell=print).run()


async def talk_typing(
    stub: StubSocket,
    folder: Path,
    *typed: str,
    is_leaving: bool = True,
    then: Callable[[], Awaitable[None]] | None = None,
) -> str:
    """Run the shell, type each text once the one before has arrived, then leave."""
    out = io.StringIO()
    terminal = Terminal(
        source=io.StringIO(), out=out, err=out,
        environ={
            "OPSWIRE_URL": f"http://127.0.0.1:{stub.port}", "OPSWIRE_API_KEY": "k",
            "HOME": str(folder),
        },
    )  # fmt: skip
    with create_pipe_input() as keys, create_app_session(keys, DummyOutput()):
        talking = asyncio.create_task(talk(terminal, folder / "history"))
        for number, text in enumerate(typed, 1):
            keys.send_text(text)
            if text.endswith("\n"):
                await stub.until_lines(number)
        if then is not None:
            await then()
        if is_leaving:
            keys.send_text("\x04")
        assert await asyncio.wait_for(talking, 10) is Exit.OK
    return out.getvalue()


async def test_shell_shows_replies_and_runs_their_actions(
    stub_socket: StubSocket, tmp_path: Path
) -> None:
    shown = await talk_typing(stub_socket, tmp_path, "whoami\n", "2\n")

    assert stub_socket.lines == ["whoami", "task show T-1"]
    assert "did whoami" in shown
    assert "> task show T-1" in shown
    assert "whoami" in (tmp_path / "history").read_text()


@pytest.mark.parametrize(
    "consent",
    ["confirm 7f3k", "confirm 7F3K", "confirm", "y", "Yes!",
     "run start deploy a=b --confirm 7f3k", "run start deploy a=b --confirm=7f3k"],
)  # fmt: skip
async def test_wait_follows_what_a_line_began(
    stub_socket: StubSocket, tmp_path: Path, consent: str
) -> None:
    """Row 19: the line goes without the flag, and its end is shown when it is over."""
    run = {"id": "R-7", "status": "queued", "finished_at": None}
    over = {**run, "status": "succeeded", "finished_at": "2026-11-04T09:00:00Z"}
    asked = {"token": "7f3k", "target": "", "danger": "risky"}
    stub_socket.replies = [
        a_reply("Confirm", status="needs_confirmation", data=asked),
        a_reply("R-7 waiting", status="running", data=run),
        a_reply("R-7 waiting", data=run),
        a_reply("R-7 succeeded in 3s", data=over),
    ]
    stub_socket.events = [{"event": "run_succeeded", "target": "R-7", "details": {}}]

    async def is_shown() -> None:
        await stub_socket.until(lambda: len(stub_socket.other_of("ack")) == 4)

    shown = await talk_typing(
        stub_socket, tmp_path, "run start deploy a=b --wait 90s\n", f"{consent}\n",
        then=is_shown,
    )  # fmt: skip

    assert stub_socket.lines == [
        "run start deploy a=b", consent, "run show R-7", "run show R-7",
    ]  # fmt: skip
    (wish, _) = stub_socket.other_of("subscribe", "unsubscribe")
    assert wish["filter"] == {"targets": ["R-7"]}
    assert "R-7 succeeded in 3s" in shown
    assert "R-7 waiting" not in shown


async def test_number_without_an_action_is_no_command(
    stub_socket: StubSocket, tmp_path: Path
) -> None:
    shown = await talk_typing(stub_socket, tmp_path, "whoami\n", "7\rexit\r")

    assert stub_socket.lines == ["whoami"]
    assert "no action [7]" in shown


async def test_interrupt_cancels_the_command_and_not_the_shell(
    stub_socket: StubSocket, tmp_path: Path
) -> None:
    stub_socket.is_answering = False

    shown = await talk_typing(stub_socket, tmp_path, "run start deploy\n", "\x03")

    assert "cancelled" in shown
    await stub_socket.until(
        lambda: any(each["t"] == "cancel" for each in stub_socket.other)
    )


async def test_interrupt_empties_a_line_that_was_begun(
    stub_socket: StubSocket, tmp_path: Path
) -> None:
    shown = await talk_typing(stub_socket, tmp_path, "task del\x03whoami\n")

    assert stub_socket.lines == ["whoami"]
    assert "nothing is running" not in shown


async def test_completion_replaces_the_word_at_the_cursor(
    connected: Connected, stub_socket: StubSocket
) -> None:
    await (await connected.link.ask("whoami"))[1]
    completer = GatewayCompleter(connected.link)

    found = [
        each
        async for each in completer.get_completions_async(
            Document("task l"), CompleteEvent()
        )
    ]

    assert found == [Completion("list", start_position=-1, display_meta="List")]


async def test_shell_without_access_ends(
    stub_socket: StubSocket, tmp_path: Path
) -> None:
    stub_socket.welcome = {"t": "error", "code": "unauthenticated", "detail": "no"}

    with pytest.raises(Unauthenticated):
        await talk_typing(stub_socket, tmp_path, is_leaving=False)
