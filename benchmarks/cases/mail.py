"""P-10: what a mail costs to read, how that grows, and how many quotes are told right."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from mailparser_reply import (  # type: ignore[import-untyped]  # it has no types
    EmailReplyParser,
)
from mailparser_reply.constants import (  # type: ignore[import-untyped]  # the same
    MAIL_LANGUAGES,
)

from benchmarks.cores import client_core, pinned
from benchmarks.paired import Bench
from benchmarks.report import Line, at_least, at_most
from channels.email.bodies import read_body
from channels.email.mime import open_mail
from channels.email.reading import read
from channels.email.wire import EmailWire
from commands.everything import COMMANDS
from commands.parser import parse
from commands.registry import Registry

REPLIES = Path(__file__).parents[2] / "tests" / "fixtures" / "mail" / "replies"
ADDRESS = "ops@example.org"

_BURST = 20
_NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
_WIRE = EmailWire()
_REGISTRY = Registry.of(COMMANDS)
_LIBRARY = EmailReplyParser(languages=list(MAIL_LANGUAGES))
_HEAD = (
    b"From: Ann <ann@example.org>\r\nTo: ops+T-12@example.org\r\n"
    b"Subject: Re: [T-12] Fix login\r\nMessage-ID: <m1@example.org>\r\n"
)
_HTML = "Content-Type: text/html; charset=utf-8"

# Shapes that made one library or another take the square of their size, or worse.
_SHAPES: Mapping[str, Callable[[int], bytes]] = {
    "one line": lambda size: _mail("a" * size),
    "one line that wrote": lambda size: _mail("On " + "wrote: " * (size // 7)),
    "attributions": lambda size: _mail("On 10:12 a@b:\n" * (size // 14)),
    "open quotes": lambda size: _mail('!x "\n' * (size // 5)),
    "headers": lambda size: _mail("From: a@b\n\n" * (size // 11)),
    "frames": lambda size: _mail(("-" * 399 + "x\n") * (size // 401)),
    "quotes": lambda size: _mail("> words\n" * (size // 8)),
    "tags": lambda size: _mail("<div " * (size // 5), _HTML),
    "styles": lambda size: _mail("<style>" * (size // 7), _HTML),
    "paragraphs": lambda size: _mail("<p>words</p>" * (size // 12), _HTML),
    "boundaries": lambda size: _mail(
        "--b" * (size // 3), 'Content-Type: multipart/mixed; boundary="b"'
    ),
}


def measure_mail(bench: Bench) -> Iterator[Line]:
    """P-10: one mail, a large one, its growth, and the corpus of replies."""
    with pinned(client_core()):
        yield _ordinary(bench)
        yield _large(bench)
        yield _growth(bench)
    yield _corpus()


def _ordinary(bench: Bench) -> Line:
    raw = _reply_of(10_000)
    text = read_body(open_mail(raw)).text
    floor = [_cpu_ms(lambda: _LIBRARY.read(text)) for _ in range(bench.rounds)]
    ours = [_cpu_ms(lambda: _understand(raw)) for _ in range(bench.rounds)]
    return Line(
        id="P-10",
        path=f"read, strip and understand a mail of {len(raw):,} bytes",
        floor=f"{median(floor):.2f} ms",
        ours=f"{median(ours):.2f} ms",
        value=median(ours),
        aim=at_most(3, "ms"),
        note="the floor is mail-parser-reply on the text alone, with all its languages",
    )


def _large(bench: Bench) -> Line:
    raw = _reply_of(1_000_000)
    ours = [_cpu_ms(lambda: _understand(raw)) for _ in range(bench.rounds)]
    return Line(
        id="P-10",
        path=f"the same for {len(raw):,} bytes, off the event loop",
        ours=f"{median(ours):.1f} ms",
        value=median(ours),
        aim=at_most(100, "ms"),
    )


def _growth(bench: Bench) -> Line:
    """Find the shape whose time grows most when it is twice as large.

    The smaller one stays below what is read of a text; above it nothing grows at all.
    """
    worst = max((_ratio(bench, make), name) for name, make in _SHAPES.items())
    return Line(
        id="P-10",
        path=f"worst of {len(_SHAPES)} hostile shapes, 60 KB against 30 KB: {worst[1]}",
        value=worst[0],
        aim=at_most(3),
    )


def _ratio(bench: Bench, make: Callable[[int], bytes]) -> float:
    small, big = make(30_000), make(60_000)
    pairs = [
        (_cpu_ms(lambda: _understand(big)), _cpu_ms(lambda: _understand(small)))
        for _ in range(bench.rounds)
    ]
    return median(slow / fast for slow, fast in pairs)


def _corpus() -> Line:
    expected: Mapping[str, str] = json.loads((REPLIES / "expected.json").read_text())
    ours = theirs = 0
    for name, text in expected.items():
        raw = (REPLIES / f"{name}.eml").read_bytes()
        payload = read(raw, address=ADDRESS)
        ours += _tidy(f"{payload['text']}\n\n{payload['below']}") == _tidy(text)
        reply = _LIBRARY.read(read_body(open_mail(raw)).text).replies[0].body
        theirs += _tidy(reply) == _tidy(text)
    return Line(
        id="P-10",
        path=f"new text told right, of {len(expected)} reply mails of our own",
        floor=f"{theirs}",
        ours=f"{ours}",
        value=100 * ours / len(expected),
        aim=at_least(86, "%"),
        note="the floor is mail-parser-reply alone; 86 % is 55 of 64",
    )


def _understand(raw: bytes) -> None:
    payload = read(raw, address=ADDRESS)
    inbound = _WIRE.parse(payload, account=ADDRESS, received_at=_NOW)
    if inbound.problem is None:
        for envelope in inbound.envelopes:
            parse(envelope.text, _REGISTRY, now=_NOW)


def _cpu_ms(work: Callable[[], None]) -> float:
    """Time some runs of it, without what other processes take."""
    work()
    began = time.process_time()
    for _ in range(_BURST):
        work()
    return 1_000 * (time.process_time() - began) / _BURST


def _reply_of(size: int) -> bytes:
    """Write a reply of some size with a command, prose, a quote and a signature."""
    prose = "This line says as much as lines in mails of people usually say.\n"
    quote = "> This line is quoted from the mail before, as mail programs do.\n"
    lines = size // (len(prose) + len(quote)) - 5
    return _mail(
        f"!task list --status review\n\n{prose * lines}\n"
        f"On Wed, 4 Nov 2026 at 10:12, Ops <ops@example.org> wrote:\n\n{quote * lines}"
        "\n-- \nAnn Lee\n"
    )


def _mail(body: str, header: str = "Content-Type: text/plain; charset=utf-8") -> bytes:
    return _HEAD + f"{header}\r\n\r\n".encode() + body.replace("\n", "\r\n").encode()


def _tidy(text: str) -> str:
    """Leave indents out too: the library drops them, and that is not the question."""
    return "\n".join(line.strip() for line in text.split("\n")).strip()
