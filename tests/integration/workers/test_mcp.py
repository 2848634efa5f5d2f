"""A tool of a real MCP server, in the sandbox and over HTTP."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.kernel.addresses import parse_allowed
from core.kernel.jsons import Json
from core.runs.model import Step
from gateway.adapters.exchange import Bounds
from gateway.adapters.outside import Outside
from gateway.workers.executors.mcp_call import Mcp
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.sandbox.limits import Limits
from tests.integration.workers.conftest import Bench, living, read_request

_SERVER = """
import os
from mcp.server import MCPServer

server = MCPServer("calculator")

@server.tool()
def add(a: int, b: int) -> int:
    return a + b

@server.tool()
def where() -> str:
    return os.environ["HOME"]

@server.tool()
def fail() -> str:
    raise ValueError("never")

server.run("stdio")
"""


@pytest.fixture
async def mcp() -> AsyncIterator[Mcp]:
    """The executor."""
    outside = Outside(parse_allowed("127.0.0.0/8"), bounds=Bounds(total_seconds=10))
    yield Mcp(Sandbox(Limits()), outside)
    await outside.close()


async def test_a_tool_of_a_program_is_called(bench: Bench, mcp: Mcp) -> None:
    """M-WRK-03: it is held like any other program, and gone afterwards."""
    step = _step(bench, tool="add", arguments={"a": 2, "b": 3})

    result = await mcp.run(bench.work(step))

    assert (result.code, result.exit_code) == ("", 0)
    assert result.result["content"] == ["5"]
    assert living(str(bench.folder / "server.py")) == []


async def test_a_tool_that_fails_is_told(bench: Bench, mcp: Mcp) -> None:
    """M-WRK-03."""
    result = await mcp.run(bench.work(_step(bench, tool="fail")))

    assert (result.code, result.exit_code) == ("tool_error", 1)


async def test_a_program_that_is_no_server_is_told(bench: Bench, mcp: Mcp) -> None:
    """M-WRK-03."""
    given: dict[str, Json] = {"argv": ["sh", "-c", "exit 3"], "tool": "add"}

    result = await mcp.run(bench.work(Step(name="step", uses="mcp", given=given)))

    assert result.code == "unavailable"
    assert "ended with 3" in result.detail


async def test_a_tool_is_called_over_http(bench: Bench, mcp: Mcp) -> None:
    """M-WRK-03: with the session and the version that the server has chosen."""
    seen: list[bytes] = []

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.append(await read_request(reader))
        writer.write(_answer(seen[-1]))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    given: dict[str, Json] = {
        "url": f"http://127.0.0.1:{port}/mcp",
        "tool": "add",
        "arguments": {"a": 2},
        "headers": {"Authorization": "Bearer ${KEY}"},
    }
    step = Step(name="step", uses="mcp", given=given)

    result = await mcp.run(bench.work(step, secrets={"KEY": "correct-horse"}))
    server.close()
    await server.wait_closed()

    assert result.result["content"] == ["five"]
    assert all(b"Bearer correct-horse" in each for each in seen)
    assert b"mcp-session-id: s-1" in seen[-1]


def _step(bench: Bench, **given: Json) -> Step:
    server = bench.folder / "server.py"
    Path(server).write_text(_SERVER)
    argv: list[Json] = [sys.executable, str(server)]
    return Step(name="step", uses="mcp", given={"argv": argv, **given})


def _answer(request: bytes) -> bytes:
    """Answer as a server of streams of events does."""
    message = json.loads(request.partition(b"\r\n\r\n")[2])
    head = b"HTTP/1.1 202 A\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    if "id" not in message:
        return head
    if message["method"] == "initialize":
        result = {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "fake", "version": "1"},
        }
    elif message["method"] == "tools/call":
        result = {"content": [{"type": "text", "text": "five"}]}
    else:
        result = {"tools": [{"name": "add", "inputSchema": {"type": "object"}}]}
    body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
    event = f"event: message\ndata: {body}\n\n".encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nmcp-session-id: s-1\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(event)
    ) + event
