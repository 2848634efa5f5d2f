"""Takes secrets out of what steps print, also when one is split over two reads.

What no reader will see is looked through: whoever shows the text drops it, and a secret
that is cut by a change of colour would be whole again.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus

from core.kernel.jsons import Json
from gateway.workers.sandbox.seen import Seen, shortened

SHOWN = b"***"
LEAST_CHARS = 8
"""A shorter secret would be found everywhere, and so is none."""

_MOST_HELD = 16 * 1024


def forms_of(secret: str) -> Iterator[bytes]:
    """List how a secret may be written: as it is, and in the usual encodings.

    Shape:  a long line of a secret with several lines counts as a secret of its own.
            In base64 it is found at any offset in what was encoded.
    """
    for part in {secret, *secret.splitlines()}:
        if len(part) < LEAST_CHARS:
            continue
        raw = part.encode()
        yield raw
        yield json.dumps(part)[1:-1].encode()
        yield from (quote(part, safe="").encode(), quote(part).encode())
        yield quote_plus(part).encode()
        yield from (raw.hex().encode(), raw.hex().upper().encode())
        yield from _in_base64(raw)


class Redactor:
    """One stream of output; what might be the beginning of a secret is held back."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {form for secret in secrets for form in forms_of(secret)}
        seen = {Seen(form).text for form in found}
        self._forms = sorted({*found, *seen} - {b""}, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, self._forms)) or b"(?!)")
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece; give what can be shown by now."""
        text = self._held + chunk
        seen = Seen(text)
        end = self._end(text, seen)
        shown, last = [], 0
        for begin, past in self._found(text, seen):
            if begin >= end:
                break
            if past > last:
                shown += [text[last:begin], SHOWN] if begin >= last else []
                last = past
        end = max(end, last)
        self._held = text[end:]
        if len(self._held) > _MOST_HELD:
            self._held = shortened(self._held)
        return b"".join((*shown, text[last:end]))

    def flush(self) -> bytes:
        """Give the rest, when nothing more will come."""
        rest, self._held = self._held, b""
        return self._masked(rest)

    def whole(self, text: str) -> str:
        """Redact a text that is complete."""
        raw = text.encode("utf-8", "surrogatepass")
        return self._masked(raw).decode("utf-8", "replace")

    def json(self, value: Json) -> Json:
        """Redact all texts in a value."""
        if isinstance(value, str):
            return self.whole(value)
        if isinstance(value, Mapping):
            return {self.whole(name): self.json(each) for name, each in value.items()}
        if isinstance(value, Sequence):
            return [self.json(each) for each in value]
        return value

    def _masked(self, text: bytes) -> bytes:
        shown, last = [], 0
        for begin, past in self._found(text, Seen(text)):
            if past > last:
                shown += [text[last:begin], SHOWN] if begin >= last else []
                last = past
        return b"".join((*shown, text[last:]))

    def _found(self, text: bytes, seen: Seen) -> Sequence[tuple[int, int]]:
        """Say where secrets are: in what was written, and in what will be seen of it."""
        found = [each.span() for each in self._any.finditer(text)]
        if seen.is_all:
            return found
        through = [seen.place(*each.span()) for each in self._any.finditer(seen.text)]
        return sorted({*found, *through})

    def _end(self, text: bytes, seen: Seen) -> int:
        """Say from where on there may be the beginning of a secret."""
        end = len(text) - self._beginning(text)
        if seen.is_all:
            return end
        begun = self._beginning(seen.text)
        return min(end, seen.at(len(seen.text) - begun)) if begun else end

    def _beginning(self, text: bytes) -> int:
        """Count how many of the last bytes may be the beginning of a secret."""
        return max((_overlap(text, form) for form in self._forms), default=0)


def _overlap(text: bytes, form: bytes) -> int:
    tail = text[-(len(form) - 1) :]
    at = tail.find(form[:1])
    while at >= 0:
        if form.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(form[:1], at + 1)
    return 0


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """Write it with none, one and two bytes before it, less what these decide."""
    for before in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            text = encode(bytes(before) + raw).rstrip(b"=")
            first = -(-before * 8 // 6)
            last = (before + len(raw)) * 8 // 6
            yield text[first:last]
