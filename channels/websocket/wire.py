"""Frames of protocol 1: JSON text in, typed frames out; replies in, JSON text out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from core.kernel.envelope import Envelope
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument, InvalidJson, Problem, UnknownFlag

CHANNEL = "websocket"
PROTOCOL = 1
FRAME_BYTES = 65_536
PONG = '{"t":"pong"}'

_ID_CHARS = 255
_CREDENTIAL_CHARS = 4_096
_MOST_COLS = 500
_MOST_WANTED = 50
_FILTERS = frozenset({"types", "targets", "actors", "channels"})


class CloseCode(IntEnum):
    """Why the gateway closes a connection."""

    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    POLICY = 1008
    TOO_BIG = 1009
    TRY_LATER = 1013
    TAKEN_OVER = 4001


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The session that a client goes on with, and the last seq that it has seen."""

    session: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first frame; `credential` is its token or ticket, "" for neither.

    `was_said` is False for the one we assume of a client that signed in by a header.
    """

    credential: str = ""
    resume: Resume | None = None
    was_said: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exec:
    """A command as a line, or by name with arguments; `id` is its idempotency key.

    Units:  `cols` is the width of the client's terminal, 0 if it wants no ANSI text.
    """

    id: str
    line: str = ""
    command: str = ""
    args: Mapping[str, Json] = field(default_factory=dict)
    cols: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """A question for what may stand at character `pos` of a line."""

    id: str
    line: str
    pos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The client no longer waits for the answer to an exec."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The client has kept every reply up to `seq`."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """A wish for events after event number `after`; None is from now on.

    Shape:  `wanted` has any of types, targets, actors, channels.
    """

    id: str
    wanted: Mapping[str, frozenset[str]]
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """No more events for the subscription `id`."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Asks for a pong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """Answers nothing of ours; taken as a sign of life."""


Frame = Hello | Exec | Complete | Cancel | Ack | Subscribe | Unsubscribe | Ping | Pong
Fields = dict[str, Json]


# ── client to server ──────────────────────────────────────────────────────────
def parse_frame(text: str) -> Frame:
    """Read one frame.

    Raises: InvalidJson; InvalidArgument or UnknownFlag for JSON that is no frame.
    """
    raw = parse_json(text)
    if not isinstance(raw, dict):
        raise InvalidArgument("a frame is a JSON object", fix=['{"t": "ping"}'])
    kind = raw.get("t")
    form = _FORMS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise InvalidArgument("'t' names no frame", fix=[f"use {', '.join(_FORMS)}"])
    if unknown := raw.keys() - form.fields:
        raise UnknownFlag(
            f"'{min(unknown)[:60]}' is no field of {kind}",
            fix=[f"use {', '.join(sorted(form.fields))}"],
        )
    return form.read(raw)


def find_id(text: str) -> str:
    """Find the id inside a refused frame, so that its sender knows which; "" if none."""
    try:
        raw = parse_json(text)
    except InvalidJson:
        return ""
    found = raw.get("id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and len(found) <= _ID_CHARS else ""


def to_envelope(
    frame: Exec, principal: Principal, *, session: str, now: datetime
) -> Envelope:
    """Turn an exec into an envelope; its id is the key, its session the conversation."""
    return Envelope(
        channel=CHANNEL,
        external_id=frame.id,
        sender=principal.id,
        conversation=session,
        text=frame.line,
        command=frame.command,
        args=frame.args,
        received_at=now,
        assurance=principal.assurance,
        credential=principal,
    )


def _hello(raw: Fields) -> Hello:
    protocol, resume = raw.get("protocol"), raw.get("resume")
    if type(protocol) is not int or protocol != PROTOCOL:
        raise InvalidArgument(
            f"this gateway speaks protocol {PROTOCOL}", fix=[f'"protocol": {PROTOCOL}']
        )
    return Hello(
        credential=_credential(raw, "token") or _credential(raw, "ticket"),
        resume=None if resume is None else _resume(resume),
    )


def _credential(raw: Fields, name: str) -> str:
    return _text(raw, name, most=_CREDENTIAL_CHARS) if name in raw else ""


def _resume(raw: Json) -> Resume:
    if not isinstance(raw, dict) or raw.keys() != {"session", "seq"}:
        raise InvalidArgument(
            "'resume' has a session and a seq",
            fix=['"resume": {"session": "ws_…", "seq": 12}'],
        )
    return Resume(session=_text(raw, "session"), seq=_number(raw, "seq"))


def _exec(raw: Fields) -> Exec:
    line, command, args = raw.get("line"), raw.get("command"), raw.get("args", {})
    if (line is None) == (command is None) or not isinstance(args, dict):
        raise InvalidArgument(
            "exec has a line, or a command with args",
            fix=['{"t": "exec", "id": "…", "line": "whoami"}'],
        )
    return Exec(
        id=_text(raw, "id"),
        line="" if line is None else _text(raw, "line", most=FRAME_BYTES, least=0),
        command="" if command is None else _text(raw, "command"),
        args=args,
        cols=_number(raw, "cols", most=_MOST_COLS) if "cols" in raw else 0,
    )


def _complete(raw: Fields) -> Complete:
    line = _text(raw, "line", most=FRAME_BYTES, least=0)
    return Complete(
        id=_text(raw, "id"), line=line, pos=_number(raw, "pos", most=len(line))
    )


def _subscribe(raw: Fields) -> Subscribe:
    return Subscribe(
        id=_text(raw, "id"),
        wanted=_wanted(raw.get("filter", {})),
        after=None if raw.get("after") is None else _number(raw, "after"),
    )


def _wanted(raw: Json) -> Mapping[str, frozenset[str]]:
    if not isinstance(raw, dict) or raw.keys() - _FILTERS:
        raise InvalidArgument(
            "'filter' is an object", fix=[f"use {', '.join(sorted(_FILTERS))}"]
        )
    return {name: _words(name, words) for name, words in raw.items()}


def _words(name: str, raw: Json) -> frozenset[str]:
    words = raw if isinstance(raw, list) else [raw]
    texts = frozenset(word for word in words if isinstance(word, str))
    if len(words) > _MOST_WANTED or not all(isinstance(word, str) for word in words):
        raise InvalidArgument(
            f"'{name}' is a list of texts", fix=[f"give at most {_MOST_WANTED} texts"]
        )
    return texts


def _text(raw: Fields, name: str, *, most: int = _ID_CHARS, least: int = 1) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise InvalidArgument(
            f"'{name}' is a text of {least} to {most} characters", fix=[f"give {name}"]
        )
    return value


def _number(raw: Fields, name: str, *, most: int = 2**53) -> int:
    value = raw.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise InvalidArgument(
            f"'{name}' is a whole number from 0 to {most}", fix=[f"give {name}"]
        )
    return value


class _Form(NamedTuple):
    fields: frozenset[str]
    read: Callable[[Fields], Frame]


def _form(read: Callable[[Fields], Frame], *fields: str) -> _Form:
    return _Form(frozenset({"t", *fields}), read)


_FORMS: Mapping[str, _Form] = {
    "hello": _form(_hello, "protocol", "token", "ticket", "resume"),
    "exec": _form(_exec, "id", "line", "command", "args", "cols"),
    "complete": _form(_complete, "id", "line", "pos"),
    "cancel": _form(lambda raw: Cancel(id=_text(raw, "id")), "id"),
    "ack": _form(lambda raw: Ack(seq=_number(raw, "seq")), "seq"),
    "subscribe": _form(_subscribe, "id", "filter", "after"),
    "unsubscribe": _form(lambda raw: Unsubscribe(id=_text(raw, "id")), "id"),
    "ping": _form(lambda _: Ping()),
    "pong": _form(lambda _: Pong()),
}


# ── server to client ──────────────────────────────────────────────────────────
class Standing(NamedTuple):
    """How a session stands when it is welcomed; see the README for each word."""

    session: str
    seq: int = 0
    resumed: bool = False
    gap: bool = False
    replayed: int = 0
    pending: tuple[str, ...] = ()


def render_welcome(standing: Standing) -> str:
    """Render the answer to a hello."""
    frame = {"t": "welcome", "protocol": PROTOCOL, **standing._asdict()}
    return to_json(frame).decode()


def render_reply(
    seq: int, exec_id: str, reply: bytes, *, ansi: str | None = None
) -> str:
    """Render an answer; `reply` is JSON as it was stored, and goes out as it is."""
    tail = "" if ansi is None else f',"ansi":{_quoted(ansi)}'
    return (
        f'{{"t":"reply","seq":{seq},"id":{_quoted(exec_id)},'
        f'"reply":{reply.decode()}{tail}}}'
    )


def render_event(subscription: str, event: bytes) -> str:
    """Render an event for one subscription; `event` is a JSON object with its seq."""
    return f'{{"t":"event","id":{_quoted(subscription)},{event[1:].decode()}'


def render_subscribed(subscription: str, after: int) -> str:
    """Say that events after this number will come."""
    return to_json({"t": "subscribed", "id": subscription, "seq": after}).decode()


def render_gap(subscription: str, first: int) -> str:
    """Say that events before number `first` are gone, and the subscription ended."""
    return to_json({"t": "gap", "id": subscription, "seq": first}).decode()


def render_completion(question: str, items: Iterable[object]) -> str:
    """Render what may stand at the place that was asked about."""
    return to_json({"t": "completion", "id": question, "items": list(items)}).decode()


def render_error(problem: Problem, frame_id: str = "") -> str:
    """Render a refusal that is no command's reply."""
    frame = {"t": "error", "code": problem.code, "detail": problem.detail}
    about = {"id": frame_id} if frame_id else {}
    return to_json({**frame, "fix": list(problem.fix), **about}).decode()


def _quoted(text: str) -> str:
    return to_json(text).decode()
