"""What stands at the edges of a mail and says nothing new.

At its end the signature, the closing, the advertisement of the mail program and the
lawyers' paragraph; at its top the warning that some mail servers put there.
"""

import re
from collections.abc import Sequence

from channels.email.languages import (
    BANNERS,
    CLOSINGS,
    CONFIDENTIAL,
    FOREIGN,
    NOTICES,
    SENT_FROM,
    SENT_FROM_ENDS,
)

_DELIMITERS = frozenset({"--", "__", "—"})
_RULE = re.compile(r"[-_–—=*~]{2,}")
_COMMAND = re.compile(r"[!！/]\w")
_SIGNED = re.compile(r"[-–—~]\s?[^\W\d_][\w.'’ -]{1,40}")
_BULLET = re.compile(r"[-–—]\s")
_DELIMITED = re.compile(r"-- [^\W\d_].{0,50}")
_LINK = re.compile(r"\s*[<(\[]https?://[^>)\]]*[>)\]]")
_PUNCTUATION = " ,.!;:-–—*_。，！、"
_CLOSINGS = frozenset(CLOSINGS)
_THIS_MAIL = re.compile(
    r"mail|message|nachricht|courriel|correo|mensaje|mensagem|messaggio|bericht"
    r"|meddelande|meddelelse|wiadomość|zpráva|správa|сообщени|письмо|повідомлення"
    r"|posta|ileti|μήνυμα|邮件|郵件|メール|메일|information"
)
_SENT_CHARS = 90
_CLOSING_CHARS = 40
_SIGNATURE_LINES = 6
_SIGNATURE_CHARS = 70
_BANNER_LINES = 5
_ROUNDS = 4


def drop_banner(lines: Sequence[str], keeps: list[bool]) -> None:
    """Mark the warning about mail from outside that a server put on top."""
    kept = [number for number, keep in enumerate(keeps) if keep and lines[number]]
    if not kept or not lines[kept[0]].lower().lstrip("*_ -!⚠️").startswith(BANNERS):
        return
    banner: list[int] = []
    for number in range(kept[0], min(kept[0] + _BANNER_LINES, len(lines))):
        if not lines[number] or _COMMAND.match(lines[number]):
            break
        banner.append(number)
    text = " ".join(lines[number] for number in banner).lower()
    if any(word in text for word in FOREIGN):
        for number in banner:
            keeps[number] = False


def drop_endings(lines: Sequence[str], keeps: list[bool]) -> None:
    """Mark signatures, closings, advertisements and notices at the end."""
    _drop_from(_delimiter(lines, keeps), keeps)
    for _ in range(_ROUNDS):
        kept = [number for number, keep in enumerate(keeps) if keep and lines[number]]
        first = _ending(lines, kept)
        if first is None:
            return
        _drop_from(first, keeps)


def _drop_from(first: int | None, keeps: list[bool]) -> None:
    if first is not None:
        keeps[first:] = [False] * (len(keeps) - first)


def _delimiter(lines: Sequence[str], keeps: Sequence[bool]) -> int | None:
    """Find the line that people's signatures begin with by convention."""
    for number, keep in enumerate(keeps):
        if keep and lines[number] in _DELIMITERS:
            return number
    return None


def _ending(lines: Sequence[str], kept: Sequence[int]) -> int | None:
    """Find where the last of the endings begins; `kept` are the lines that speak."""
    if not kept:
        return None
    tail = kept[-_SIGNATURE_LINES - 1 :]
    for number in reversed(tail):
        is_rule = _RULE.fullmatch(lines[number]) or _DELIMITED.fullmatch(lines[number])
        if (is_rule and number != kept[0]) or _is_sent_from(lines[number]):
            return number
    for number in tail:
        is_last = _is_signed(lines, number) and number == kept[-1] != kept[0]
        if is_last or (number != kept[0] and _is_closing(lines, number, tail)):
            return number
    return _notice(lines, kept)


def _is_sent_from(line: str) -> bool:
    """Tell whether a line is what a phone appends, and no sentence that begins so."""
    text = _LINK.sub("", line).lower().strip("_* ")
    if not text or len(text) > _SENT_CHARS or "," in text or _COMMAND.match(text):
        return False
    begins = text.startswith(SENT_FROM) and len(text.split()) <= 9
    ends = text.strip(" .").endswith(SENT_FROM_ENDS) and _is_device(text)
    return begins or ends


def _is_device(text: str) -> bool:
    return bool(
        re.search(r"iphone|ipad|android|outlook|samsung|huawei|handy|mail|ios", text)
    )


def _is_signed(lines: Sequence[str], number: int) -> bool:
    """Tell `-Ann` below a blank line from the last point of a list."""
    line = lines[number]
    is_apart = number > 0 and not lines[number - 1]
    return is_apart and bool(_SIGNED.fullmatch(line)) and not _BULLET.match(line)


def _is_closing(lines: Sequence[str], number: int, tail: Sequence[int]) -> bool:
    """Tell whether a line takes leave, and only a name and the like stand below."""
    line = lines[number]
    if len(line) > _CLOSING_CHARS:
        return False
    words = line.lower().strip(_PUNCTUATION)
    greeting, _, name = words.partition(",")
    is_leave = words in _CLOSINGS or (
        greeting.strip() in _CLOSINGS and len(name.split()) <= 2
    )
    below = [lines[each] for each in tail if each > number]
    return is_leave and all(len(each) <= _SIGNATURE_CHARS for each in below)


def _notice(lines: Sequence[str], kept: Sequence[int]) -> int | None:
    """Find the paragraph of the lawyers, or a footer, below something that was said."""
    for number in kept[1:]:
        if lines[number - 1]:
            continue
        text = " ".join(lines[number : number + 8]).lower().lstrip("*_ -")
        is_secret = any(word in text for word in CONFIDENTIAL)
        is_about_mail = is_secret and _THIS_MAIL.search(text[:60])
        if text.startswith(NOTICES) or is_about_mail:
            return number
    return None
