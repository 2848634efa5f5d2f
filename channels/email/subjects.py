"""What the subject of a mail asks for, and what it is about; pure."""

import re

OBJECT_ID = re.compile(r"[A-Z]{1,3}-[0-9]{1,12}")

_TAG = re.compile(r"\[([A-Za-z]{1,3}-[0-9]{1,12})\]")
_AGAIN = re.compile(
    r"\s*(?:re|aw|sv|vs|odp|antw|ynt|rif|ref|res|回复|回覆|答复|返信|atb|σχετ|bls|ответ)"
    r"\s*(?:\[\d+\])?\s*[:：]\s*",
    re.IGNORECASE,
)
_OPS = re.compile(r"\[ops\]\s*(?=\S)", re.IGNORECASE)
_VERB = re.compile(r"([a-z]{2,20})((?:\s+--?[a-z][\w-]*.*)?)", re.DOTALL)


def without_again(subject: str) -> str:
    """Return a subject without the `Re:` that replies put in front of it."""
    for _ in range(10):
        found = _AGAIN.match(subject)
        if not found:
            break
        subject = subject[found.end() :]
    return subject.strip()


def find_object(subject: str) -> str:
    """Return the id that a subject bears in brackets; "" if it bears none."""
    found = _TAG.search(subject)
    return found[1].upper() if found else ""


def find_object_in_tag(tag: str) -> str:
    """Return the id that the plus part of an address is; "" if it is none."""
    written = tag.upper()
    return written if OBJECT_ID.fullmatch(written) else ""


def is_addressed(subject: str) -> bool:
    """Tell whether a subject addresses us, as `[ops] task list` does."""
    return bool(_OPS.match(without_again(subject)))


def is_command(subject: str) -> bool:
    """Tell whether a subject can be nothing but a command: by its `[ops]` or its `!`."""
    text = without_again(subject)
    tagged = _TAG.match(text)
    rest = text[tagged.end() :].lstrip() if tagged else ""
    return bool(_OPS.match(text)) or rest.startswith(("!", "！"))


def find_command(subject: str) -> str:
    """Return the command of a subject: `[ops] task list`, or `[R-17] cancel`.

    Shape:  behind an id stands a verb, perhaps with flags, or any command that has a
            `!` in front; the id is put in. Any other text behind an id is prose.
    """
    text = without_again(subject)
    if found := _OPS.match(text):
        return _as_line(text[found.end() :])
    tagged = _TAG.match(text)
    if not tagged:
        return ""
    rest = text[tagged.end() :].strip()
    is_meant = rest.startswith(("!", "！"))
    verb, _, more = rest.lstrip("!！ ").partition(" ")
    if is_meant and verb:
        return f"!{verb} {tagged[1].upper()} {more}".strip()
    found = _VERB.fullmatch(rest)
    return f"!{found[1]} {tagged[1].upper()}{found[2]}" if found else ""


def _as_line(text: str) -> str:
    return f"!{text.strip().lstrip('!！/').strip()}"
