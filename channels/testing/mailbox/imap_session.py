"""One connection to the built-in IMAP server, from its greeting to its end."""

import asyncio
import base64
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from channels.testing.mailbox.faults import Faults, ImapFault
from channels.testing.mailbox.imap_grammar import (
    answer_fetch,
    in_set,
    matches,
    split,
)
from channels.testing.mailbox.store import Folder, Mailboxes

_CAPABILITIES = "IMAP4rev1 MOVE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2"
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")
_LITERAL_LIMIT = 1_000_000
_FOREVER = 3600.0

Answer = Awaitable[str]


class HangUp(Exception):
    """The connection ends here."""


class ImapSession:
    """Answers the commands of one client."""

    def __init__(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        *,
        boxes: Mailboxes,
        faults: Faults,
        kick_seconds: Callable[[], float],
        has_idle: bool = True,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._boxes = boxes
        self._faults = faults
        self._kick_seconds = kick_seconds
        self._capabilities = f"{_CAPABILITIES} IDLE" if has_idle else _CAPABILITIES
        self._address = ""
        self._folder: Folder | None = None
        self._shown: list[int] = []
        self._awake = asyncio.Event()
        self._awake.set()
        self._commands: dict[str, Callable[[list[str]], Answer]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "CLOSE": self._close,
            "EXPUNGE": self._expunge,
            "IDLE": self._idle,
            "UID": self._uid,
        }

    async def serve(self) -> None:
        """Greet, then answer until the client or a fault ends it."""
        try:
            await self._greet()
            while await self._command():
                pass
        except (HangUp, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    def freeze(self) -> None:
        """Neither read nor write any more, and leave the connection open."""
        self._awake.clear()
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads

    async def _greet(self) -> None:
        if self._faults.take(ImapFault.SLOW_GREETING):
            await asyncio.sleep(_FOREVER)
        if self._faults.take(ImapFault.GARBAGE):
            await self._send(b"HTTP/1.1 400 Bad Request\r\n\r\n\x00\xff)(\r\n")
            raise HangUp
        await self._say("* OK Opswire built-in mailbox")

    async def _command(self) -> bool:
        tag, _, line = (await self._read_line()).partition(b" ")
        words = split(line)
        if not words:
            raise HangUp
        name, arguments = words[0].upper(), words[1:]
        if self._faults.take(ImapFault.HANG):
            await asyncio.sleep(_FOREVER)
        if name == "LOGOUT":
            await self._say("* BYE see you")
            await self._say(f"{tag.decode()} OK done")
            return False
        handler = self._commands.get(name)
        needs_folder = name in {"CLOSE", "EXPUNGE", "IDLE", "UID"}
        if handler is None or (needs_folder and self._folder is None):
            answer = "BAD unknown or not now"
        else:
            answer = await handler(arguments)
        await self._say(f"{tag.decode()} {answer}")
        return True

    # ── who, and where ────────────────────────────────────────────────────────
    async def _capability(self, _: list[str]) -> str:
        await self._say(f"* CAPABILITY {self._capabilities}")
        return "OK done"

    async def _login(self, words: list[str]) -> str:
        return self._let_in(words[0], words[1]) if len(words) == 2 else "BAD login"

    async def _authenticate(self, words: list[str]) -> str:
        if len(words) == 1:
            await self._say("+ ")
            words.append((await self._read_line()).decode())
        token = base64.b64decode(words[1]).decode()
        if words[0].upper() == "PLAIN":
            _, address, password = token.split("\0")
        else:
            user, bearer, *_ = token.split("\1")
            address = user.removeprefix("user=")
            password = bearer.removeprefix("auth=Bearer ")
        return self._let_in(address, password)

    def _let_in(self, address: str, password: str) -> str:
        is_refused = self._faults.take(ImapFault.REFUSE_LOGIN)
        if is_refused or not self._boxes.is_login(address, password):
            return "NO [AUTHENTICATIONFAILED] wrong password"
        self._address = address
        return f"OK [CAPABILITY {self._capabilities}] welcome"

    async def _select(self, words: list[str]) -> str:
        if not self._address:
            return "BAD log in first"
        self._folder = folder = self._boxes.folder(self._address, words[0])
        self._shown = [mail.uid for mail in folder.mails]
        await self._say("* FLAGS (\\Seen \\Deleted)")
        await self._say(f"* {len(folder.mails)} EXISTS")
        await self._say("* 0 RECENT")
        await self._say(f"* OK [UIDVALIDITY {folder.uid_validity}] these numbers")
        await self._say(f"* OK [UIDNEXT {folder.uid_next}] the next one")
        return "OK [READ-WRITE] selected"

    async def _close(self, _: list[str]) -> str:
        self._folder = None
        return "OK closed"

    async def _noop(self, _: list[str]) -> str:
        await self._tell_changes()
        return "OK done"

    # ── mails ─────────────────────────────────────────────────────────────────
    async def _uid(self, words: list[str]) -> str:
        verb, arguments = words[0].upper(), words[1:]
        match verb:
            case "SEARCH":
                return await self._search(arguments)
            case "FETCH":
                return await self._fetch(*arguments)
            case "STORE":
                return self._store(*arguments)
            case "MOVE":
                return await self._move(*arguments)
            case "EXPUNGE":
                return await self._expunge(arguments)
            case _:
                return "BAD no such command"

    async def _search(self, criteria: list[str]) -> str:
        folder = self._open_folder
        last = max((mail.uid for mail in folder.mails), default=0)
        try:
            found = [each for each in folder.mails if matches(each, criteria, last)]
        except ValueError:
            return "BAD search"
        await self._say(" ".join(["* SEARCH", *(str(mail.uid) for mail in found)]))
        await self._tell_changes()
        return "OK found"

    async def _fetch(self, uid_set: str, items: str) -> str:
        for number, mail in enumerate(list(self._open_folder.mails), 1):
            if not in_set(mail.uid, uid_set, self._open_folder.uid_next - 1):
                continue
            answer = answer_fetch(mail, number, items)
            if b"BODY[" in answer and self._faults.take(ImapFault.CUT_LITERAL):
                await self._send(answer[: len(answer) // 2])
                raise HangUp
            await self._send(answer)
        return "OK fetched"

    def _store(self, uid_set: str, how: str, flags: str) -> str:
        for mail in self._open_folder.mails:
            if in_set(mail.uid, uid_set, self._open_folder.uid_next - 1):
                changed = set(flags.strip("()").split())
                keeps = mail.flags - changed
                mail.flags = keeps if how.startswith("-") else keeps | changed
        return "OK stored"

    async def _expunge(self, words: list[str]) -> str:
        uid_set = words[0] if words else "1:*"
        last = self._open_folder.uid_next - 1
        self._open_folder.remove(
            lambda mail: "\\Deleted" in mail.flags and in_set(mail.uid, uid_set, last)
        )
        await self._tell_changes()
        return "OK expunged"

    async def _move(self, uid_set: str, target: str) -> str:
        last = self._open_folder.uid_next - 1
        moved = self._open_folder.remove(lambda mail: in_set(mail.uid, uid_set, last))
        for mail in moved:
            self._boxes.folder(self._address, target).add(mail.raw)
        await self._tell_changes()
        return "OK moved"

    # ── waiting ───────────────────────────────────────────────────────────────
    async def _idle(self, _: list[str]) -> str:
        await self._say("+ idling")
        folder, bell = self._open_folder, asyncio.Event()
        folder.changed.add(bell)
        done = asyncio.create_task(self._read_line())
        try:
            async with asyncio.timeout(self._kick_seconds()):
                while not done.done():
                    await self._tell_changes()
                    await self._wait_for(bell, done)
        except TimeoutError:
            await self._say("* BYE idled for too long")
            raise HangUp from None
        finally:
            folder.changed.discard(bell)
            done.cancel()
            await asyncio.wait([done])
        done.result()
        return "OK idle ended"

    async def _wait_for(self, bell: asyncio.Event, done: "asyncio.Task[bytes]") -> None:
        """Wait for a change or for the client; a planned BYE comes in between."""
        if self._faults.take(ImapFault.BYE):
            await self._say("* BYE going down")
            raise HangUp
        ringing = asyncio.create_task(bell.wait())
        try:
            await asyncio.wait([ringing, done], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
        bell.clear()

    async def _tell_changes(self) -> None:
        """Tell what came and went since the client was last told."""
        folder = self._open_folder
        present = {mail.uid for mail in folder.mails}
        for index in range(len(self._shown) - 1, -1, -1):
            if self._shown[index] not in present:
                del self._shown[index]
                await self._say(f"* {index + 1} EXPUNGE")
        if len(folder.mails) > len(self._shown):
            await self._say(f"* {len(folder.mails)} EXISTS")
        self._shown = [mail.uid for mail in folder.mails]

    # ── lines ─────────────────────────────────────────────────────────────────
    @property
    def _open_folder(self) -> Folder:
        assert self._folder is not None
        return self._folder

    async def _say(self, line: str) -> None:
        await self._send(f"{line}\r\n".encode())

    async def _send(self, answer: bytes) -> None:
        await self._awake.wait()
        self._writer.write(answer)
        await self._writer.drain()

    async def _read_line(self) -> bytes:
        """Read a line together with the literals in it."""
        line = (await self._reader.readuntil(b"\r\n"))[:-2]
        while found := _LITERAL.search(line):
            size = int(found[1])
            if size > _LITERAL_LIMIT:
                raise HangUp
            if not found[2]:
                await self._say("+ go on")
            text = await self._reader.readexactly(size)
            quoted = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            rest = (await self._reader.readuntil(b"\r\n"))[:-2]
            line = line[: found.start()] + b'"' + quoted + b'"' + rest
        return line
