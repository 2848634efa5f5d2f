"""A stored mail to the commands that it asks for, and where the answer goes; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.base import Inbound
from channels.email import subjects
from channels.email.guards import parse_guard, require_within
from channels.email.letter import Letter
from channels.email.lines import Found, find_commands
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.problems import (
    BadRequest,
    EmptyLine,
    InvalidArgument,
    InvalidJson,
    Problem,
    Unauthenticated,
)

MOST_COMMANDS = 10

_GUARD = "only"
_JSON_FIX = ('{"command": "task.create", "args": {"title": "Fix login"}}',)

Payload = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCommand:
    """The command that keeps a remark on objects of one kind.

    Shape:  `prefix` is that of their ids (`T`); `of` and `text` name its arguments.
    """

    prefix: str
    command: str
    of: str
    text: str


class EmailWire:
    """Reads the mails of the inbox.

    Shape:  prose beside the commands of a mail about an object becomes a note on it,
            when `notes` knows a command for objects of that kind.
    """

    def __init__(self, notes: Sequence[NoteCommand] = ()) -> None:
        self._notes = {each.prefix: each for each in notes}

    def parse(
        self, payload: Payload, *, account: str, received_at: datetime
    ) -> Inbound:
        """Work out what one stored mail asks for; never raises for its content."""
        letter = Letter(payload, account=account, received_at=received_at)
        reply_to = letter.place()
        if silence := letter.text("silence"):
            return Inbound(envelopes=(letter.envelope(),), skipped=silence)
        try:
            envelopes = tuple(self._envelopes(letter))
        except Problem as problem:
            return Inbound(
                envelopes=(letter.envelope(),), reply_to=reply_to, problem=problem
            )
        return Inbound(envelopes=envelopes, reply_to=reply_to)

    def _envelopes(self, letter: Letter) -> Iterator[Envelope]:
        _require_readable(letter)
        message = letter.value("body_json")
        if isinstance(message, dict):
            yield _structured(letter, message)
            return
        found = _found(letter)
        lines = _allowed(found.commands)
        for number, line in enumerate(lines, 1):
            yield letter.envelope(text=line, number=number)
        note = self._notes.get(letter.this.partition("-")[0])
        if note and found.rest:
            args: dict[str, Json] = {note.of: letter.this, note.text: found.rest}
            yield letter.envelope(
                command=note.command, args=args, number=len(lines) + 1
            )


def _require_readable(letter: Letter) -> None:
    """Let only mails pass whose sender is proven and whose content could be read."""
    if refusal := letter.value("refusal"):
        detail = refusal if isinstance(refusal, str) else "the sender is not proven"
        raise Unauthenticated(detail, fix=["send it through your mail server"])
    if fault := letter.text("fault"):
        raise BadRequest(
            f"the mail was not read: {fault}", fix=["send the command as plain text"]
        )


def _found(letter: Letter) -> Found:
    """Find the commands in subject and text.

    The subject of an answer is that of the mail before, so there it counts only when
    the answer says nothing else, and only as a verb on what it is about. A word behind
    an id is prose (`[T-12] note`) where the text has commands of its own.
    """
    text = letter.text("text")
    found = find_commands(text, is_whole=letter.value("is_whole") is not False)
    subject = subjects.find_command(letter.subject)
    is_answer = bool(letter.chain)
    if is_answer and (text.strip() or subjects.is_addressed(letter.subject)):
        subject = ""
    if found.commands and not subjects.is_command(letter.subject):
        subject = ""
    commands = (subject, *found.commands) if subject else found.commands
    if not commands:
        raise _nothing_asked(text)
    prose = f"{found.rest}\n\n{letter.text('below')}".strip()
    return Found(commands=commands, rest=_unsigned(prose, letter.text("from_name")))


def _unsigned(prose: str, name: str) -> str:
    """Leave out the sender's name below what they wrote."""
    above, _, last = prose.rpartition("\n")
    written = last.strip(" .,-–—").casefold()
    is_name = bool(written) and written in name.casefold()
    return above.rstrip() if is_name else prose


def _nothing_asked(text: str) -> Problem:
    if text.startswith("{") and '"command"' in text[:200]:
        return InvalidJson("the mail is not a command in JSON", fix=_JSON_FIX)
    return EmptyLine(
        "there is no command in the mail's first or last lines",
        fix=["help", "begin the mail with a line such as !task list"],
    )


def _allowed(commands: Sequence[str]) -> list[str]:
    """Return the commands to run, each held against the guard above it.

    Raises: InvalidArgument when one is not what its guard allows, or there are too
            many; then none of them runs.
    """
    lines: list[str] = []
    guard: Mapping[str, str] = {}
    for command in commands:
        name, _, rest = command[1:].partition(" ")
        if name.casefold() == _GUARD:
            guard = parse_guard(rest)
        else:
            require_within(command, guard)
            lines.append(command)
    if len(lines) > MOST_COMMANDS:
        raise InvalidArgument(
            f"{len(lines)} commands in one mail, and none was run",
            fix=[f"send at most {MOST_COMMANDS} at once"],
        )
    if not lines:
        raise _nothing_asked("")
    return lines


def _structured(letter: Letter, message: Mapping[str, Json]) -> Envelope:
    """Build the envelope of a mail whose whole body is JSON."""
    command, args, key = (
        message.get("command"),
        message.get("args", {}),
        message.get("id", ""),
    )
    if not (isinstance(command, str) and isinstance(args, dict) and command):
        raise InvalidArgument('"command" is a text, "args" an object', fix=_JSON_FIX)
    if not isinstance(key, str):
        raise InvalidArgument('"id" is a text', fix=_JSON_FIX)
    return letter.envelope(command=command, args=args)
