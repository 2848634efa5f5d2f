"""The prompt: completion, history, several commands at once, `1` for the first action."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from channels.terminal import commands_of
from core.kernel.problems import Problem
from core.kernel.reply import Reply
from core.kernel.sanitise import sanitise
from gateway.cli.exits import Exit
from gateway.cli.remote import say_problem
from gateway.cli.session import credential_of
from gateway.cli.shell.following import Patience, follow, without_wait
from gateway.cli.shell.link import Link
from gateway.cli.shell.logs import follow_log, is_log
from gateway.cli.terminal import Terminal
from gateway.cli.waiting import is_followed

_LEAVE = ("exit", "quit")
_WORTH_WAITING_SECONDS = 0.5


class GatewayCompleter(Completer):
    """Asks the gateway what may stand at the cursor: commands, flags, live ids."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def get_completions(
        self, document: Document, event: CompleteEvent
    ) -> list[Completion]:
        """Know nothing without asking; the prompt uses the other method."""
        return []

    async def get_completions_async(
        self, document: Document, event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """Yield what the gateway answers."""
        at = document.cursor_position
        for item in await self._link.complete(document.text, at):
            yield Completion(
                sanitise(item["text"]),
                start_position=int(item["start"]) - at,
                display_meta=sanitise(
                    str(item.get("summary") or item.get("help") or "")
                ),
            )


class Shell:
    """What is typed, what runs, and what the last reply offers."""

    def __init__(self, link: Link, terminal: Terminal) -> None:
        self._link = link
        self._terminal = terminal
        self._offered: list[str] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None
        self._patience = Patience()
        self.progress = ""
        self.redraw: Callable[[], None] = lambda: None

    async def enter(self, text: str) -> None:
        """Run what was typed; come back when it is done, or has become slow."""
        line = self._meant(text.strip())
        if not line:
            return
        if is_log(line):
            await self._follow(line)
            return
        line, seconds = without_wait(line)
        # What was to be confirmed first is waited for once it is.
        seconds = seconds or self._patience.of(line)
        exec_id, reply = await self._link.ask(line)
        ending = self._ended(line, reply, seconds)
        task = asyncio.create_task(self._show(exec_id, reply, ending))
        self._running[exec_id] = task
        await asyncio.wait([task], timeout=_WORTH_WAITING_SECONDS)

    async def interrupt(self) -> None:
        """Cancel the command that was started last; a log that is followed goes first."""
        if self._following is not None:
            self._following.cancel()
            return
        if not self._running:
            self._terminal.say("nothing is running; Ctrl-D leaves")
            return
        exec_id, task = self._running.popitem()
        if not await self._link.cancel(exec_id):
            task.cancel()  # It was answered, and only its end is waited for.

    async def leave(self) -> None:
        """Wait for nothing any more."""
        if self._following is not None:
            self._following.cancel()
        for exec_id in list(self._running):
            await self._link.cancel(exec_id)

    async def _follow(self, line: str) -> None:
        """Have a log told while the prompt takes further lines; Ctrl-C ends it."""
        if self._following is not None:
            self._terminal.say("a log is followed already; Ctrl-C ends that")
            return
        task = asyncio.create_task(follow_log(self._link, self._terminal, line))
        self._following = task
        task.add_done_callback(self._followed)
        await asyncio.wait([task], timeout=_WORTH_WAITING_SECONDS)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._following = None
        if task.cancelled():
            self._terminal.say("no longer followed")
        elif fault := task.exception():
            self._terminal.say(f"no longer followed: {fault}")

    def _meant(self, text: str) -> str:
        """Turn the number of an action into the line that it stands for."""
        if not text.isdecimal():
            return text
        number = int(text)
        if 1 <= number <= len(self._offered):
            line = self._offered[number - 1]
            self._terminal.say(f"> {line}")
            return line
        self._terminal.say(f"the last reply has no action [{text}]")
        return ""

    async def _show(
        self, exec_id: str, reply: asyncio.Future[Reply], ending: Awaitable[Reply]
    ) -> None:
        try:
            answer = await ending
        except asyncio.CancelledError:
            self._terminal.say(
                "cancelled" if reply.cancelled() else "no longer waiting"
            )
            return
        finally:
            self._running.pop(exec_id, None)
        self._offered = [sanitise(line) for line in commands_of(answer.blocks)]
        self._terminal.show(answer)

    async def _ended(
        self, line: str, reply: asyncio.Future[Reply], seconds: float
    ) -> Reply:
        """Follow what a line began for as long as its person wants to wait."""
        answer = await reply
        self._patience.learn(line, answer, seconds)
        if not seconds or not is_followed(answer):
            return answer
        try:
            return await follow(self._link, answer, self._tell, seconds=seconds)
        finally:
            self._tell("")

    def _tell(self, line: str) -> None:
        """Put a line of progress below the prompt, over the one before."""
        self.progress = sanitise(line)
        self.redraw()


async def talk(terminal: Terminal, history: Path) -> Exit:
    """Prompt for commands until Ctrl-D.

    Raises: Problem when the gateway does not let us in.
    """
    link = Link(url=terminal.url, credential=credential_of(terminal), tell=terminal.say)
    shell = Shell(link, terminal)
    prompt: PromptSession[str] = PromptSession(
        "ops> ",
        history=FileHistory(str(history)),
        completer=GatewayCompleter(link),
        complete_while_typing=False,
        key_bindings=key_bindings(),
        bottom_toolbar=lambda: shell.progress or None,
    )
    shell.redraw = prompt.app.invalidate
    connection = asyncio.create_task(link.run())
    prompting = asyncio.create_task(_prompt(prompt, shell))
    loop = asyncio.get_running_loop()
    # Between two prompts Ctrl-C is a signal; it must not end the shell either.
    loop.add_signal_handler(signal.SIGINT, _interrupter(shell))
    try:
        await asyncio.wait([connection, prompting], return_when=asyncio.FIRST_COMPLETED)
        if connection.done() and (fault := connection.exception()) is not None:
            raise fault
        await prompting
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        for task in (prompting, connection):
            task.cancel()
        await asyncio.gather(prompting, connection, return_exceptions=True)
    return Exit.OK


def key_bindings() -> KeyBindings:
    """Let Ctrl-C empty the line first, and interrupt only from an empty one."""
    keys = KeyBindings()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys


def run(terminal: Terminal) -> Exit:
    """Open the shell; it keeps its history in a file of the person's own."""
    history = terminal.state_folder / "history"
    history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    history.touch(mode=0o600)
    with patch_stdout(raw=True):
        screen = replace(terminal, out=sys.stdout, err=sys.stdout)
        try:
            return asyncio.run(talk(screen, history))
        except Problem as problem:
            say_problem(problem, screen)
            return Exit.FORBIDDEN


async def _prompt(prompt: PromptSession[str], shell: Shell) -> None:
    while True:
        try:
            text = await prompt.prompt_async()
        except KeyboardInterrupt:
            await shell.interrupt()
            continue
        except EOFError:
            break
        if text.strip() in _LEAVE:
            break
        await shell.enter(text)
    await shell.leave()


def _interrupter(shell: Shell) -> Callable[[], None]:
    started: set[asyncio.Task[None]] = set()

    def interrupt() -> None:
        task = asyncio.ensure_future(shell.interrupt())
        started.add(task)
        task.add_done_callback(started.discard)

    return interrupt
