"""From the words that a shell hands over to one command line that says the same."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from core.kernel.problems import InvalidArgument
from gateway.cli.lazy import load

_BARE = re.compile(r"[A-Za-z0-9_#@][A-Za-z0-9_.:/@+%,-]*|-[0-9][0-9.]*")
_FLAG = re.compile(r"--?[A-Za-z][A-Za-z0-9_-]*")
# `severity=='page'` compares and names nothing.
_PAIR = re.compile(r"((?:--?)?[A-Za-z_][A-Za-z0-9_-]*)=(?!=)(.*)", re.DOTALL)

_WAIT = "90s"
_DURATION = "commands.times:parse_duration"
_IS_DURATION = "commands.times:is_duration"
_OURS = {"-o": "output", "--output": "output", "--fields": "fields", "--query": "query"}


@dataclass(slots=True, kw_only=True)
class Asked:
    """What is to be sent, and what is done with the answer here.

    Shape:  `output` is one of the `-o` formats; `fields` and `query` choose from data.
    Units:  `wait_seconds` is how long it is waited for what the command begins.
    """

    words: list[str] = field(default_factory=list)
    output: str = "auto"
    fields: Sequence[str] = ()
    query: str = ""
    is_yes: bool = False
    wait_seconds: float = 0.0

    @property
    def line(self) -> str:
        """The command line."""
        return to_line(self.words)

    @property
    def is_native(self) -> bool:
        """Whether the reply is shown as it is, and not its data."""
        return self.output == "auto" and not (self.fields or self.query)


def split_options(words: Sequence[str]) -> Asked:
    """Take out what `ops` does itself: `-o`, `--fields`, `--query`, `--wait`, `--yes`.

    Raises: InvalidArgument for one of them without its value.
    """
    asked = Asked()
    rest = _Words(words)
    for word in rest:
        name, has_value, text = word.partition("=")
        if word == "--":
            asked.words += [word, *rest]
        elif word == "--yes":
            asked.is_yes = True
        elif name == "--wait":
            length = text if has_value else rest.next_if(load(_IS_DURATION))
            asked.wait_seconds = load(_DURATION)(length or _WAIT).total_seconds()
        elif name in _OURS:
            _set(asked, name, text if has_value else next(rest, None))
        else:
            asked.words.append(word)
    return asked


class _Words(Iterator[str]):
    """Words, of which the next one may be looked at before it is taken."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._at = 0

    def __next__(self) -> str:
        if self._at == len(self._words):
            raise StopIteration
        self._at += 1
        return self._words[self._at - 1]

    def next_if(self, is_meant: Callable[[str], bool]) -> str:
        """Take the next word if it is meant; "" else."""
        is_there = self._at < len(self._words) and is_meant(self._words[self._at])
        return next(self) if is_there else ""


def to_line(words: Sequence[str]) -> str:
    """Write words as one line whose tokens are those words again."""
    return " ".join(_tokens(words))


def quote(text: str) -> str:
    """Write a text as one token: bare where nothing in it has a meaning."""
    return text if _BARE.fullmatch(text) else _quoted(text)


def _tokens(words: Sequence[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        yield _token(word)
    yield from map(quote, rest)


def _token(word: str) -> str:
    if _FLAG.fullmatch(word) or _is_json(word):
        return word
    if pair := _PAIR.fullmatch(word):
        value = pair[2]
        return f"{pair[1]}={value if _is_json(value) else quote(value)}"
    return quote(word)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_json(word: str) -> bool:
    if not word.startswith(("{", "[")):
        return False
    try:
        orjson.loads(word)
    except orjson.JSONDecodeError:
        return False
    return True


def _set(asked: Asked, name: str, text: str | None) -> None:
    if not text:
        raise InvalidArgument(
            f"{name} needs a value", fix=["-o json", "--fields id,title"]
        )
    if _OURS[name] == "fields":
        asked.fields = [each.strip() for each in text.split(",") if each.strip()]
    elif _OURS[name] == "query":
        asked.query = text
    else:
        asked.output = text
