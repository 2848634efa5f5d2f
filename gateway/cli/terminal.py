"""The streams and the surroundings that `ops` runs in."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from channels.terminal import render
from core.kernel.reply import Reply
from core.kernel.sanitise import sanitise, sanitise_reply

_PIPE_CELLS = 10_000
_CLEAR = "\r\x1b[2K"
DEFAULT_URL = "http://127.0.0.1:8000"


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where input comes from and output goes to: data to `out`, messages to `err`.

    Units:  `pause` waits for seconds.
    """

    source: TextIO
    out: TextIO
    err: TextIO
    environ: Mapping[str, str]
    pause: Callable[[float], None] = _pause

    @classmethod
    def of_process(cls) -> "Terminal":
        """Take the streams and the environment of this process."""
        return cls(source=sys.stdin, out=sys.stdout, err=sys.stderr, environ=os.environ)

    @property
    def url(self) -> str:
        """The gateway to talk to."""
        return (self.environ.get("OPSWIRE_URL") or DEFAULT_URL).rstrip("/")

    @property
    def config_folder(self) -> Path:
        """Where a session is kept between runs."""
        return self._folder("XDG_CONFIG_HOME", ".config")

    @property
    def state_folder(self) -> Path:
        """Where history is kept between runs."""
        return self._folder("XDG_STATE_HOME", ".local/state")

    @property
    def can_ask(self) -> bool:
        """Whether a person sits here who can answer."""
        return self.source.isatty() and self.err.isatty()

    def show(self, reply: Reply) -> None:
        """Show a reply to a person: an error among the messages, the rest as data."""
        stream = self.err if reply.error else self.out
        self._write(stream, self.rendered(reply, stream))

    def tell(self, reply: Reply) -> None:
        """Show a reply as a message, beside the data."""
        self._write(self.err, self.rendered(reply, self.err))

    def rendered(self, reply: Reply, stream: TextIO) -> str:
        """Render a reply the way a stream takes it; pipes get no colours and no cuts."""
        is_tty = stream.isatty()
        width = shutil.get_terminal_size().columns if is_tty else _PIPE_CELLS
        return render(
            sanitise_reply(reply), width=width, colour=is_tty and self._has_colour
        )

    def print(self, text: str) -> None:
        """Write data; a person's screen gets it without what it would obey."""
        self.out.write(sanitise(text) if self.out.isatty() else text)
        self.out.flush()

    def say(self, message: str) -> None:
        """Write a message."""
        self._write(self.err, sanitise(message))

    def progress(self, line: str) -> None:
        """Say how far something is: over what was said before, where that can be done."""
        if self.err.isatty():
            width = shutil.get_terminal_size().columns
            self.err.write(f"{_CLEAR}{sanitise(line)[: width - 1]}")
            self.err.flush()
        else:
            self.say(line)

    def end_progress(self) -> None:
        """Take the last line of progress away again, where it stands in the way."""
        if self.err.isatty():
            self.err.write(_CLEAR)
            self.err.flush()

    def ask(self, question: str) -> str:
        """Ask the person; "" when input has ended."""
        self.err.write(f"{sanitise(question)} ")
        self.err.flush()
        return self.source.readline().strip()

    @property
    def _has_colour(self) -> bool:
        return not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    def _folder(self, variable: str, default: str) -> Path:
        home = self.environ.get("HOME") or str(Path.home())
        return Path(self.environ.get(variable) or f"{home}/{default}") / "opswire"

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(f"{text}\n")
        stream.flush()
