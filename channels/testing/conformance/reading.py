"""Checks of what comes in: every line arrives as it was written, junk breaks nothing."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from channels.base import Inbound, Wire
from channels.testing.conformance.lines import THIRTY
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json

Payload = Mapping[str, Json]

_WHEN = datetime(2026, 11, 4, 9, tzinfo=UTC)
_ADDRESSED = ("/ops ", "@ops ", "ops ", "!")
_JUNK: tuple[Json, ...] = (
    None,
    7,
    "",
    "\0\x1b[31m\u202e",
    "x" * 20_000,
    [],
    {},
    [[[[{}]]]],
    True,
)


def check_lines(read: Callable[[str], Envelope]) -> None:
    """Check that a channel hands each of the thirty lines on without a change.

    Shape:  `read` writes a line as the channel's people would, and reads it back.
    """
    for line in THIRTY:
        envelope = read(line)
        assert _bare(envelope.text) == line, (line, envelope.text)
        assert not envelope.command, line


def check_wire(wire: Wire, samples: Mapping[str, Payload]) -> None:
    """Check that a wire is pure, knows where to answer, and is broken by nothing.

    Shape:  `samples` are payloads as the channel stores them, by name; each is also
            tried with every field missing, or another kind of thing in its place.
    """
    for name, payload in samples.items():
        inbound = _parse(wire, payload)
        assert inbound == _parse(wire, payload), f"{name}: not the same twice"
        assert inbound.reply_to, f"{name}: nobody would be answered"
        for spoilt in _spoilt(payload):
            _require_sound(_parse(wire, spoilt), name)


def _parse(wire: Wire, payload: Payload) -> Inbound:
    return wire.parse(payload, account="acme", received_at=_WHEN)


def _spoilt(payload: Payload) -> Iterator[Payload]:
    yield {}
    for name in payload:
        yield {key: value for key, value in payload.items() if key != name}
        for junk in _JUNK:
            yield {**payload, name: junk}


def _require_sound(inbound: Inbound, name: str) -> None:
    """Something is asked, or it is said why not; a problem has its one envelope."""
    asks = bool(inbound.envelopes) or bool(inbound.skipped)
    assert asks or inbound.problem is not None, f"{name}: neither asked nor skipped"


def _bare(text: str) -> str:
    """Take away the word by which a command is addressed."""
    for word in _ADDRESSED:
        if text.startswith(word):
            return text.removeprefix(word)
    return text
