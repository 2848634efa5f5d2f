"""The part of IMAP's grammar that readers of one folder use; pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from channels.testing.mailbox.store import StoredMail

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\([^()]*\))|([^\s()"]+(?:\[[^\]]*\]\S*)?)')
_SECTION = re.compile(
    r"(BODY(?:\.PEEK)?)\[(HEADER|TEXT|)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE
)
_ITEM = re.compile(
    r"BODY(?:\.PEEK)?\[[^\]]*\](?:<\d+\.\d+>)?|[A-Z0-9.]+", re.IGNORECASE
)


def split(line: bytes) -> list[str]:
    """Cut a command into its words; quotes are taken off, parentheses stay."""
    words = []
    for quoted, group, atom in _TOKEN.findall(line):
        text = re.sub(rb"\\(.)", rb"\1", quoted) if quoted else group or atom
        words.append(text.decode("utf-8", "replace"))
    return words


def in_set(uid: int, uid_set: str, last: int) -> bool:
    """Tell whether a number is in a set such as `4,7:9,12:*`."""
    for part in uid_set.split(","):
        low, _, high = part.partition(":")
        ends = sorted(last if end == "*" else int(end) for end in (low, high or low))
        if ends[0] <= uid <= ends[1]:
            return True
    return False


def matches(mail: StoredMail, criteria: Sequence[str], last: int) -> bool:
    """Tell whether a mail meets all criteria of a SEARCH.

    Raises: ValueError for a criterion that is not known here.
    """
    words = iter(criteria)
    return all(_meets(mail, word.upper(), words, last) for word in words)


def _meets(mail: StoredMail, word: str, rest: Iterator[str], last: int) -> bool:
    match word:
        case "CHARSET":
            return bool(next(rest))
        case "UID":
            return in_set(mail.uid, next(rest), last)
        case "SINCE":
            return mail.arrived_at >= _date(next(rest))
        case "UNSEEN":
            return "\\Seen" not in mail.flags
        case "ALL":
            return True
        case _:
            raise ValueError(word)


def answer_fetch(mail: StoredMail, number: int, items: str) -> bytes:
    """Write the FETCH response of one mail; BODY[] without PEEK marks it as read."""
    parts = [f"UID {mail.uid}".encode()]
    for item in _ITEM.findall(items):
        name = item.upper()
        if name == "FLAGS":
            parts.append(f"FLAGS ({' '.join(sorted(mail.flags))})".encode())
        elif name == "RFC822.SIZE":
            parts.append(f"RFC822.SIZE {len(mail.raw)}".encode())
        elif name == "INTERNALDATE":
            parts.append(
                f'INTERNALDATE "{mail.arrived_at:%d-%b-%Y %H:%M:%S} +0000"'.encode()
            )
        elif section := _SECTION.fullmatch(item):
            parts.append(_body(mail, section))
    return b"* %d FETCH (%s)\r\n" % (number, b" ".join(parts))


def _body(mail: StoredMail, section: re.Match[str]) -> bytes:
    how, part, start, count = section.groups()
    if how.upper() == "BODY":
        mail.flags.add("\\Seen")
    head, gap, text = mail.raw.partition(b"\r\n\r\n")
    content = {"": mail.raw, "HEADER": head + gap, "TEXT": text}[part.upper()]
    origin = ""
    if start is not None:
        content = content[int(start) : int(start) + int(count)]
        origin = f"<{start}>"
    label = f"BODY[{part.upper()}]{origin} {{{len(content)}}}\r\n"
    return label.encode() + content


def _date(text: str) -> datetime:
    return datetime.strptime(text, "%d-%b-%Y").replace(tzinfo=UTC)
