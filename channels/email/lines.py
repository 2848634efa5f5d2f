"""Where a command may stand in a mail, and where it ends; pure.

Commands stand in the first lines of the new text or, when there are none, in its last
ones: one per line, each behind a `!` or a `/`. What stands anywhere else is prose.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_GAP = "\\s\u200b\u2060\ufeff\u200e\u200f"
_MARKED = re.compile(
    rf"[{_GAP}]{{0,3}}(?:(?P<bang>[!！])(?=[^\s!！])|/(?=[A-Za-z][\w-]*(?:\s|\Z)))"
)
_OPS = re.compile(r"[/@]ops[:,]?(?:\s|\Z)", re.IGNORECASE)
_FLAG = re.compile(r"[-–—]{1,2}[A-Za-z][\w-]*(?:[\s=]|\Z)")
_END = re.compile(r"(?:thanks|thank you|quit|stop)[\s.,!]*|--(?:\s.*)?", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen)"
    r"|moin|bonjour|salut|hola|buenos días|ciao|buongiorno|olá|bom dia|hej|hei|cześć"
    r"|dzień dobry|ahoj|dobrý den|привет|здравствуйте|merhaba)\b[^.!?:]{0,40}[,!.]?",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"""[{_GAP}]*+
    (?P<key>(?:[-–—]{{1,2}})?[^\W\d][\w-]*+=)?+
    (?: "(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"(?=[{_GAP}]|\Z)
      | '(?P<single>[^']*+)'(?=[{_GAP}]|\Z)
      | [“”„‟](?P<curly>[^“”„‟\\]*+(?:\\.[^“”„‟\\]*+)*+)[“”„‟](?=[{_GAP}]|\Z)
      | (?P<open>["'“”„‟{{])
      | (?P<word>\S*+))""",
    re.VERBOSE | re.DOTALL,
)
_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)
_CLOSERS = {'"': '"', "'": "'", "{": "}"}
_DASHES = "-–—"

_ENOUGH = 50  # commands; far fewer are refused for being too many
_JOINED_LINES = 40
_JOINED_CHARS = 16_384
_LAST_LINES = 100
_SIGNED_LINES = 4
_SIGNED_CHARS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The commands of a text in order, each with its mark, and the prose beside them."""

    commands: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Commands that follow each other, and the line after them."""

    commands: tuple[str, ...]
    end: int
    is_ended: bool


def find_commands(text: str, *, is_whole: bool = True) -> Found:
    """Find the commands at the top of a mail's new text, or else at its bottom.

    Shape:  `thanks`, `quit`, `stop` or `--` end the commands above them; nothing below
            is run. Without its end (`is_whole`) a text has no last lines.
    """
    lines = text.split("\n")
    top = _block(lines, _skip_blank(lines, 0))
    if top.is_ended:
        return Found(commands=top.commands)
    if top.commands or not is_whole:
        return Found(commands=top.commands, rest=_prose(lines[top.end :]))
    start, bottom = _bottom(lines)
    return Found(commands=bottom.commands, rest=_prose(lines[:start]))


def pairs_of(line: str) -> Iterator[tuple[str, str]]:
    """Yield what a line says by name: `--lane B`, `--lane=B` and `lane=B`."""
    name = ""
    for found in _tokens(line):
        key, text = found["key"], _text_of(found)
        flag = found["word"] if not key and _FLAG.fullmatch(found["word"] or "") else ""
        if key:
            yield key[:-1].lstrip(_DASHES).casefold(), text
            name = ""
        elif flag:
            name = flag.lstrip(_DASHES).casefold()
        elif name:
            yield name, text
            name = ""


def marked(line: str) -> str:
    """Return a command line with its mark as every door knows it; "" if it is none."""
    if found := _OPS.match(line.strip()):
        return line.strip() if line.strip()[found.end() :].strip() else ""
    found = _MARKED.match(line)
    return f"!{line[found.end() :]}" if found else ""


def _bottom(lines: Sequence[str]) -> tuple[int, _Block]:
    """Find the commands that a text ends with, and where they begin."""
    at = max(0, len(lines) - _LAST_LINES)
    while at < len(lines):
        block = _block(lines, at)
        if block.commands and _is_last(lines, block):
            return at, block
        at = max(block.end, at + 1)
    return at, _Block(commands=(), end=at, is_ended=False)


def _is_last(lines: Sequence[str], block: _Block) -> bool:
    below = [line for line in lines[block.end :] if line.strip()]
    if block.is_ended:
        is_short = all(len(line) <= _SIGNED_CHARS for line in below)
        return is_short and len(below) <= _SIGNED_LINES
    return not below


def _block(lines: Sequence[str], start: int) -> _Block:
    """Read commands from a line on, with blank lines between them, until prose."""
    commands: list[str] = []
    at = end = start
    while at < len(lines) and len(commands) < _ENOUGH:
        line = lines[at]
        if commands and _END.fullmatch(line.strip()):
            return _Block(commands=tuple(commands), end=at + 1, is_ended=True)
        if command := marked(line):
            whole, at = _whole(lines, at, command)
            commands.append(whole)
            end = at
        elif line.strip() or not commands:
            break
        else:
            at += 1
    return _Block(commands=tuple(commands), end=end, is_ended=False)


def _whole(lines: Sequence[str], at: int, command: str) -> tuple[str, int]:
    """Add to a command the lines below that belong to it; return the line after it.

    An open quote or JSON object goes on until it is closed, and a line that begins with
    a flag belongs to the command above.
    """
    if closer := _opened(command):
        whole, after = _closed(lines, at, command, closer)
        if not after:
            return command.rstrip(), at + 1
        command, at = whole, after
    else:
        command, at = command.rstrip(), at + 1
    while at < len(lines) and _FLAG.match(lines[at].strip()):
        command, at = f"{command} {lines[at].strip()}", at + 1
    return command, at


def _closed(
    lines: Sequence[str], at: int, command: str, closer: str
) -> tuple[str, int]:
    """Go on until what is open is closed; the line after it is 0 if it never is."""
    joined = command
    for number in range(at + 1, min(at + _JOINED_LINES, len(lines))):
        joined = f"{joined}\n{lines[number]}"
        if len(joined) > _JOINED_CHARS:
            break
        if any(sign in lines[number] for sign in closer) and not _opened(joined):
            return joined.rstrip(), number + 1
    return command, 0


def _opened(text: str) -> str:
    """Return what would close a quote or JSON object that is open at the end; or ""."""
    for found in _tokens(text):
        if found["open"]:
            return _CLOSERS.get(found["open"], "“”„‟")
    return ""


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            return
        if found["open"] == "{" and (end := _json_end(text, found.start("open"))):
            at = end
            continue
        yield found
        if found["open"]:
            return
        at = found.end()


def _json_end(text: str, start: int) -> int:
    depth = 0
    for found in _BRACKET.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return 0


def _text_of(found: re.Match[str]) -> str:
    for name in ("double", "single", "curly", "word"):
        if found[name] is not None:
            return found[name]
    return ""


def _skip_blank(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip(" \t\r\u200b\ufeff\xa0"):
        at += 1
    return at


def _prose(lines: Sequence[str]) -> str:
    """Join what is no command, without a greeting on top."""
    text = "\n".join(lines).strip()
    first, _, below = text.partition("\n")
    return below.strip() if _GREETING.fullmatch(first.strip()) else text
