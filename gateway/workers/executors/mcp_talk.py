"""Speaks MCP over our own lines: guarded HTTP, and programs in the sandbox."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from mcp import ClientSession, MCPError
from mcp.shared.memory import MessageStream, create_client_server_memory_streams
from mcp.shared.message import SessionMessage
from mcp.types import CallToolResult, JSONRPCMessage, jsonrpc_message_adapter

from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidJson
from gateway.adapters.exchange import Answer, Caller
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.sandbox import Program, Sandbox, Talk

_SESSION = "mcp-session-id"
_VERSION = "mcp-protocol-version"
_MOST_CHARS = 65_536


class Line(Protocol):
    """Carries messages to a server, and its answers back."""

    async def carry(self, ours: MessageStream) -> None:
        """Carry until cancelled.

        Raises: OSError when the server cannot be reached, or is gone.
        """
        ...


class HttpLine:
    """One POST for each message; the answer is JSON or a stream of events."""

    def __init__(self, outside: Caller, url: str, headers: Mapping[str, str]) -> None:
        self._outside = outside
        self._url = url
        self._headers = {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            **headers,
        }

    async def carry(self, ours: MessageStream) -> None:
        """Carry until cancelled."""
        read, write = ours
        async for message in read:
            if isinstance(message, Exception):
                continue
            answer = await self._outside.send(
                "POST", self._url, headers=self._headers, body=_raw(message)
            )
            if answer.status >= 400:
                raise ConnectionError(f"the MCP server answered {answer.status}")
            self._note(answer)
            for raw in _messages(answer):
                await write.send(SessionMessage(_parsed(raw)))

    def _note(self, answer: Answer) -> None:
        """Go on with the session, and the version, that the server has chosen."""
        if session := answer.headers.get(_SESSION):
            self._headers[_SESSION] = session
        for raw in _messages(answer):
            if version := _version_in(raw):
                self._headers[_VERSION] = version


class ProgramLine:
    """A program that reads messages line by line, and writes its own."""

    def __init__(self, sandbox: Sandbox, work: StepWork, program: Program) -> None:
        self._sandbox = sandbox
        self._work = replace(work, stop=asyncio.Event())
        self._program = program

    async def carry(self, ours: MessageStream) -> None:
        """Carry until cancelled; the program is gone then."""
        read, write = ours
        source, sink = os.pipe()
        heard = bytearray()

        async def hear(chunk: bytes) -> None:
            heard.extend(chunk)
            *lines, rest = bytes(heard).split(b"\n")
            heard[:] = rest
            for line in lines:
                if line.strip():
                    await write.send(SessionMessage(_parsed(line)))

        async def speak() -> None:
            async for message in read:
                if isinstance(message, SessionMessage):
                    await asyncio.to_thread(os.write, sink, _raw(message) + b"\n")

        program = replace(self._program, talk=Talk(source=source, hear=hear))
        speaking = asyncio.create_task(speak())
        try:
            result = await self._sandbox.run(self._work, program)
            raise ConnectionError(
                f"the MCP server ended: {result.detail or 'by itself'}"
            )
        finally:
            os.close(source)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            os.close(sink)


async def call(line: Line, tool: str, arguments: dict[str, Json]) -> StepResult:
    """Call a tool once.

    Raises: OSError when the server cannot be reached, or is gone.
    """
    async with create_client_server_memory_streams() as (theirs, ours):
        carrying = asyncio.create_task(line.carry(ours))
        calling = asyncio.create_task(_called(theirs, tool, arguments))
        try:
            await asyncio.wait({carrying, calling}, return_when=asyncio.FIRST_COMPLETED)
            if not calling.done():
                # It ends by itself only once the call has nothing more to say.
                carrying.result()
            return await calling
        finally:
            for each in (calling, carrying):
                each.cancel()
            await asyncio.gather(calling, carrying, return_exceptions=True)


async def _called(
    theirs: MessageStream, tool: str, arguments: dict[str, Json]
) -> StepResult:
    try:
        async with ClientSession(*theirs) as session:
            await session.initialize()
            result = await session.call_tool(tool, arguments)
    except MCPError as fault:
        return StepResult(code="tool_error", detail=str(fault)[:500], is_final=True)
    assert isinstance(result, CallToolResult)
    texts = [str(getattr(each, "text", each.type)) for each in result.content]
    shown: list[Json] = [each[:_MOST_CHARS] for each in texts]
    told = " ".join(texts)[:500]
    return StepResult(
        code="tool_error" if result.is_error else "",
        detail=told if result.is_error else "",
        exit_code=1 if result.is_error else 0,
        result={"content": shown, "structured": result.structured_content},
    )


def _raw(message: SessionMessage) -> bytes:
    return message.message.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _parsed(raw: bytes) -> JSONRPCMessage:
    """Read a message.

    Raises: ConnectionError for what is none.
    """
    try:
        return jsonrpc_message_adapter.validate_json(raw, by_name=False)
    except ValueError as fault:
        raise ConnectionError("the MCP server answered what is no message") from fault


def _messages(answer: Answer) -> Iterator[bytes]:
    kind = answer.headers.get("content-type", "")
    if "text/event-stream" in kind:
        for event in answer.body.replace(b"\r\n", b"\n").split(b"\n\n"):
            lines = (each for each in event.split(b"\n") if each.startswith(b"data:"))
            if raw := b"\n".join(each.removeprefix(b"data:").strip() for each in lines):
                yield raw
    elif "json" in kind and answer.body.strip():
        yield answer.body


def _version_in(raw: bytes) -> str:
    try:
        message = parse_json(raw)
    except InvalidJson:
        return ""
    result = message.get("result") if isinstance(message, dict) else None
    version = result.get("protocolVersion") if isinstance(result, dict) else ""
    return version if isinstance(version, str) else ""
