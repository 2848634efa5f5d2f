"""From text to tokens: what phones did is repaired, what was quoted stays as it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import orjson

from commands.words import shown
from core.kernel.problems import InvalidArgument

MAX_TOKENS = 2_000
MAX_LINES = 10
MAX_DEPTH = 200  # of JSON; the models read no deeper

_GAP = r"\s\u200b\u2060\ufeff\u200e\u200f"
_END = r"(?=[\u200b\u2060\ufeff\u200e\u200f]*+(?:\s|\Z))"
_DASH = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_KEY = r"[^\W\d][\w-]*+"

_PREFIX = re.compile(
    rf"[{_GAP}]*+((?:[/@]?ops[:,]?{_END}|!))?[{_GAP}]*+", re.IGNORECASE
)
_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)
_ENDS = re.compile(_END)
_PLAIN = re.compile(r"\S*+")
_ESCAPE = re.compile(r'\\(["\\])')
_CURLY_ESCAPE = re.compile(r'\\(["\\“”„‟])')
_INVISIBLE = re.compile(
    r"[\u200b\u2060\ufeff\u200e\u200f]"
    r"|(?<=[\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?=[\0-\x7f])"
)
_WRITTEN_FLAG = re.compile(rf"-{{1,2}}{_KEY}")

# Every alternative matches in one way only from one place, so the scan is linear in
# the length of the text. The numbers name the groups below.
_TOKEN = re.compile(
    rf"""[{_GAP}]*+
    (?: ([{_DASH}]{{1,2}}+{_KEY}){_END}                       # 1 a flag without a value
      | ((?:[{_DASH}]{{1,2}}+)?{_KEY}=)?+                     # 2 what stands before a =
        (?: "([^"\\]*+(?:\\.[^"\\]*+)*+)"{_END}               # 3 "quoted"
          | '([^']*+)'{_END}                                  # 4 'quoted'
          | [“”„‟]([^“”„‟\\]*+(?:\\.[^“”„‟\\]*+)*+)[“”„‟]{_END}  # 5 quoted by a phone
          | ‘((?:[^’]|’(?!{_END}))*+)’                        # 6 the same, single
          | (["'“”„‟‘{{\[])                                   # 7 a quote or JSON opens
          | (\S*+)                                            # 8 a plain word
    ))""",
    re.VERBOSE | re.DOTALL,
)
_FLAG, _BEFORE, _DOUBLE, _SINGLE, _CURLY, _LOW, _OPENER, _WORD = range(1, 9)


class Form(StrEnum):
    """How a token was written."""

    WORD = "word"
    QUOTED = "quoted"
    JSON = "json"
    FLAG = "flag"
    OPEN = "open"  # what opens and never closes; no scan has it


class Token(NamedTuple):
    """One token and where it stands.

    Shape:  `key` is what was written before a `=` (`--lane`, `reason`), or a flag
            without a value; "" otherwise. `text` is the value, unquoted.
    """

    text: str
    start: int
    end: int
    form: Form
    key: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """The tokens of a text, up to the first thing that cannot be one.

    `fault` is that thing as a problem. It is kept beside the tokens because prose is
    no command, whatever quotes are in it: only the reader of a command raises it.
    """

    tokens: Sequence[Token]
    fault: InvalidArgument | None = None


def command_start(text: str) -> tuple[int, bool]:
    """Find where the command begins, and whether `/ops`, `@ops`, `!` or `ops` leads."""
    found = _PREFIX.match(text)
    return (found.end(), found[1] is not None) if found else (0, False)


def tokenise(text: str, start: int = 0) -> Scan:
    """Cut a text into tokens, from `start`.

    Shape:  at most MAX_TOKENS tokens; one pass over the text.
    """
    tokens: list[Token] = []
    has_json = True
    match = _TOKEN.match
    while len(tokens) < MAX_TOKENS:
        found = match(text, start)
        if found is None:
            return Scan(tokens)
        group, word = found.lastindex, found[_WORD]
        if group == _WORD and not found[_BEFORE]:
            if not word:
                return Scan(tokens)
            token = _word(word, found.start(_WORD), found.end(), key="")
        elif group != _OPENER:
            token = _closed(found)
        elif (opened := _opened(text, found, has_json=has_json)) is None:
            return Scan(tokens, _fault(text, found.start(_OPENER)))
        else:
            token = opened
            # One bracket that opens no JSON settles that brackets are text here, else
            # a line full of them would be searched again from each.
            has_json = has_json and token.form is Form.JSON
        tokens.append(token)
        start = token.end
    return Scan(tokens, _endless())


def split_lines(text: str) -> list[str]:
    """Cut a text into its commands, one per line; quotes and JSON may span lines.

    Shape:  at most MAX_LINES, none empty. From a quote that is never closed on, all
            is one command, whose reader refuses it.
    Raises: InvalidArgument when there are more.
    """
    scan = tokenise(text)
    lines: list[str] = []
    begin = end = 0
    for token in scan.tokens:
        if _has_break(text, end, token.start) and end:
            lines.append(text[begin:end].strip())
            begin = end
        end = token.end
    last = text[begin : None if scan.fault else end].strip()
    lines += [last] if last else []
    if len(lines) > MAX_LINES:
        raise InvalidArgument(
            f"{len(lines)} commands in one message",
            fix=[f"send at most {MAX_LINES} at once"],
        )
    return lines


def _has_break(text: str, start: int, end: int) -> bool:
    return text.find("\n", start, end) >= 0 or text.find("\r", start, end) >= 0


def _closed(found: re.Match[str]) -> Token:
    """Read a token that the pattern matched to its end."""
    group = found.lastindex or _WORD
    text, end = found[group], found.end()
    if group == _FLAG:
        return Token("", found.start(group), end, Form.FLAG, _dashes(text))
    if group == _WORD:
        key, start = _before(found, found.start(group))
        return _word(text, start, end, key=key)
    if "\\" in text and group in (_DOUBLE, _CURLY):
        text = (_ESCAPE if group == _DOUBLE else _CURLY_ESCAPE).sub(r"\1", text)
    key, start = _before(found, found.start(group) - 1)
    return Token(text, start, end, Form.QUOTED, key)


def _before(found: re.Match[str], start: int) -> tuple[str, int]:
    """Return what stands before a `=`, and where the token starts with it."""
    written = found[_BEFORE]
    return (_dashes(written[:-1]), found.start(_BEFORE)) if written else ("", start)


def _opened(text: str, found: re.Match[str], *, has_json: bool) -> Token | None:
    """Read JSON, or a word that only looks like it; None when a quote stays open."""
    at = found.start(_OPENER)
    key, start = _before(found, at)
    mark = text[at]
    if (mark == "{" or (mark == "[" and has_json)) and (end := _json_end(text, at)):
        return Token(text[at:end], start, end, Form.JSON, key)
    if mark != "[" and (not key or key.startswith("-")):
        return None
    plain = _PLAIN.match(text, at)
    end = plain.end() if plain else len(text)
    return _word(text[at:end], start, end, key=key)


def _word(text: str, start: int, end: int, *, key: str) -> Token:
    """Read a plain word without what cannot be seen in it."""
    if text.isascii():
        return Token(text, start, end, Form.WORD, key)
    visible = _INVISIBLE.sub("", text)
    if not key and visible != text and _WRITTEN_FLAG.fullmatch(visible):
        return Token("", start, end, Form.FLAG, visible)
    return Token(visible, start, end, Form.WORD, key)


def _dashes(key: str) -> str:
    """Undo the dash that a phone made of two hyphens."""
    if key.isascii():
        return key
    name = key.lstrip(_DASH)
    if key[: len(key) - len(name)].isascii():
        return key
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _json_end(text: str, start: int) -> int:
    """Return where the JSON that opens at `start` ends; 0 when it is none."""
    depth = 0
    for found in _BRACKET.finditer(text, start):
        mark = found[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        if depth > MAX_DEPTH:
            return 0
        if not depth:
            return found.end() if _is_json(text, start, found.end()) else 0
    return 0


def _is_json(text: str, start: int, end: int) -> bool:
    if not _ENDS.match(text, end):
        return False
    try:
        orjson.loads(text[start:end])
    except orjson.JSONDecodeError:
        return False
    return True


def _fault(text: str, at: int) -> InvalidArgument:
    rest = shown(text[at : at + 100])
    if text[at] == "{":
        return InvalidArgument(
            f"{rest} is not valid JSON", fix=["quote it if it is text"]
        )
    return InvalidArgument(
        f"the quote at {rest} is not closed before a space",
        fix=['close it; inside of double quotes write \\" for a quote'],
    )


def _endless() -> InvalidArgument:
    return InvalidArgument(
        f"there are more than {MAX_TOKENS} words in one command",
        fix=["quote what is one text"],
    )
