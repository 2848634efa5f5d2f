"""A team's aliases as lines are read with them: which one a line is, and its values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from commands.alias_templates import Template, Value, parse_template
from commands.binder import is_flag_like
from commands.flags import GLOBALS, SHORT
from commands.loose_ends import begin_of, loose_tokens
from commands.render import quote
from commands.schema import Kind, Parameter
from commands.suggest import nearest
from commands.times import is_duration
from commands.tokens import Form, Scan, Token
from commands.words import shown
from core.aliases import service as aliases
from core.aliases.formats import Pattern, Said, Slot, folded, parse_format
from core.aliases.model import Alias, Format
from core.database import Tx
from core.kernel.problems import InvalidArgument, UnknownCommand, UnknownFlag

_COMMON: Mapping[str, Parameter] = {
    **{each.flag: each for each in GLOBALS},
    **{flag: each for flag, name in SHORT.items() for each in GLOBALS if each.name == name},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spelling:
    """One format of one alias, ready to be matched."""

    alias: Alias
    format: Format
    pattern: Pattern
    template: Template


class Heard(NamedTuple):
    """What a line was understood as: the spelling, its values, the flags behind it."""

    spelling: Spelling
    values: Mapping[str, Value]
    flags: Sequence[Token]


class Book:
    """The aliases of one tenant.

    Shape:  an alias that could no longer be read is left out; `alias list` says why.
    """

    def __init__(self, known: Sequence[Alias] = ()) -> None:
        self._by_first: dict[str, list[Spelling]] = {}
        for alias in known:
            for each in _spellings(alias):
                self._by_first.setdefault(each.pattern.first, []).append(each)

    def __bool__(self) -> bool:
        return bool(self._by_first)

    def beginning(self, tokens: Sequence[Token]) -> Sequence[Spelling]:
        """List the spellings that begin with the first word of a line."""
        first = tokens[0] if tokens else None
        if first is None or first.form is not Form.WORD or first.key:
            return ()
        return self._by_first.get(folded(first.text), ())

    def hear(self, text: str, scan: Scan) -> Heard | None:
        """Find out which alias a line is; None when it begins like none of them.

        Raises: UnknownFlag for a flag that no command has, UnknownCommand for a line
                that begins like an alias and is another, InvalidArgument for a quote
                that is not closed, unless it belongs to a rest.
        """
        spellings = self.beginning(scan.tokens)
        if not spellings:
            return None
        runs = list(_runs([*scan.tokens, *_loose(text, scan)]))
        words = [run.tokens[0] for run in runs if not run.is_flag]
        said = [_said(token) for token in words]
        for each in spellings:
            bound = each.pattern.match(said)
            if bound is not None:
                at = {binding.slot: words[binding.at] for binding in bound}
                if scan.fault and not _is_in_rest(each, at, begin_of(text, scan)):
                    raise scan.fault
                return _heard(each, at, text, runs)
        if scan.fault:
            raise scan.fault
        raise _misheard(spellings, text, words)

    def near(self, word: str) -> list[str]:
        """List how the aliases are written that a first word is nearest to."""
        firsts = nearest(folded(word), self._by_first)
        found = (
            each.format.shown for first in firsts for each in self._by_first[first]
        )
        return list(dict.fromkeys(found))[:3]

    def __iter__(self) -> Iterator[Spelling]:
        for spellings in self._by_first.values():
            yield from spellings


NO_ALIASES = Book()


def book_of(tx: Tx) -> Book:
    """Read a tenant's aliases; reads of one version share the book."""
    key = "aliases", tx.version(aliases.COLLECTION)
    known = tx.recall(key)
    if isinstance(known, Book):
        return known
    book = Book(aliases.list_(tx))
    tx.remember(key, book)
    return book


class _Run(NamedTuple):
    """One word of a line, or a flag of every command with its value."""

    tokens: Sequence[Token]
    is_flag: bool


def _spellings(alias: Alias) -> Sequence[Spelling]:
    try:
        template = parse_template(alias.definition.command)
        return [
            Spelling(alias, each, parse_format(each.match), template)
            for each in alias.definition.formats
        ]
    except InvalidArgument:
        return ()


def _loose(text: str, scan: Scan) -> Iterator[Token]:
    return loose_tokens(text, scan) if scan.fault else iter(())


def _is_in_rest(spelling: Spelling, at: Mapping[str, Token], begin: int) -> bool:
    """Tell whether all that is no token belongs to a text that is taken as it is."""
    return any(
        each.is_rest and at[each.name].start <= begin for each in spelling.pattern.slots
    )


def _runs(tokens: Sequence[Token]) -> Iterator[_Run]:
    at = 0
    while at < len(tokens):
        length = _flag_length(tokens, at)
        yield _Run(tokens[at : at + max(length, 1)], is_flag=length > 0)
        at += max(length, 1)


def _flag_length(tokens: Sequence[Token], at: int) -> int:
    """Count the tokens of a common flag; 0 when there is none."""
    token = tokens[at]
    flag = _COMMON.get(token.key.lower().replace("_", "-"))
    if flag is None:
        return 0
    if token.form is not Form.FLAG or flag.kind is Kind.FLAG:
        return 1
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if following is None or following.key.startswith("-"):
        return 1
    if following.form is Form.OPEN:
        return 0
    return 1 if flag.name == "wait" and not is_duration(following.text) else 2


def _said(token: Token) -> Said:
    if _is_flag(token):
        return Said(is_flag=True)
    is_word = token.form is Form.WORD and not token.key
    return Said(folded(token.text)) if is_word else Said()


def _is_flag(token: Token) -> bool:
    if token.form is Form.FLAG or token.key.startswith("-"):
        return True
    return token.form is Form.WORD and not token.key and is_flag_like(token.text)


def _heard(
    spelling: Spelling, at: Mapping[str, Token], text: str, runs: Sequence[_Run]
) -> Heard:
    """Take the values out of a line; what a rest holds is not looked into."""
    slots = spelling.pattern.slots
    rest = next((at[each.name] for each in slots if each.is_rest), None)
    end = _end_of(runs, rest) if rest else len(runs)
    inside = [
        each for each in runs[:end] if rest and each.tokens[0].start >= rest.start
    ]
    flags = [
        token
        for run in runs
        if run.is_flag and run not in inside
        for token in run.tokens
    ]
    values = {
        each.name: _rest(text, inside)
        if each.is_rest
        else _value(each, at.get(each.name), text)
        for each in slots
    }
    return Heard(spelling, values, flags)


def _end_of(runs: Sequence[_Run], rest: Token) -> int:
    """Find where a rest ends: before the flags that can be read as such, each once."""
    before = [run for run in runs if run.is_flag and run.tokens[0].start < rest.start]
    known = {_slot_of(run) for run in before}
    end = len(runs)
    while runs[end - 1].is_flag and _is_whole(runs[end - 1].tokens):
        slot = _slot_of(runs[end - 1])
        if slot in known:
            break
        known.add(slot)
        end -= 1
    return end


def _slot_of(run: _Run) -> str:
    """Name what a flag sets; that a reply is public and that it is private is one."""
    name = _flag_of(run.tokens).name
    return "public" if name == "private" else name


def _flag_of(tokens: Sequence[Token]) -> Parameter:
    return _COMMON[tokens[0].key.lower().replace("_", "-")]


def _is_whole(tokens: Sequence[Token]) -> bool:
    """Tell whether a flag behind a text can be read as one; else it is more text."""
    flag = _flag_of(tokens)
    has_value = len(tokens) > 1 or tokens[0].form is not Form.FLAG
    if flag.kind is Kind.FLAG:
        return not has_value
    value = tokens[-1].text
    if flag.kind is Kind.DURATION:
        return not has_value or is_duration(value)
    return has_value and (not flag.choices or value in flag.choices)


def _value(slot: Slot, token: Token | None, text: str) -> Value:
    if token is None:
        default = slot.default or ""
        return Value(default, is_plain=bool(default) and default == quote(default))
    if token.key:
        return Value(text[token.start : token.end], is_plain=False)
    return Value(token.text, is_plain=token.form is Form.WORD)


def _rest(text: str, inside: Sequence[_Run]) -> Value:
    """Take a rest as it was written; one text in quotes is taken without them."""
    first, last = inside[0].tokens[0], inside[-1].tokens[-1]
    if len(inside) == 1 and first.form is Form.QUOTED and not first.key:
        return Value(first.text, is_plain=False)
    return Value(text[first.start : last.end], is_plain=False)


def _misheard(
    spellings: Sequence[Spelling], text: str, words: Sequence[Token]
) -> UnknownCommand | UnknownFlag:
    """Say how the aliases are written that begin like the line."""
    names = list(dict.fromkeys(each.alias.name for each in spellings))
    displays = [each.format.shown for each in spellings][:3]
    if flag := next((each for each in words if _is_flag(each)), None):
        raw = text[flag.start : flag.end]
        return UnknownFlag(
            f"{', '.join(names)} takes no flags of its own, so {shown(raw)} is none; "
            "quote it if it is a value",
            fix=[*displays, f"help {names[0]}"],
            suggestions=nearest(raw.lower(), _COMMON),
        )
    return UnknownCommand(
        f"{shown(text[words[0].start :])} is not how {', '.join(names)} is written",
        fix=[*displays, f"help {names[0]}"],
        suggestions=displays,
    )
