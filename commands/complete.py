"""What may stand at a place of a line: commands, flags, choices and live ids."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from commands.alias_book import book_of
from commands.alias_lines import is_claimed
from commands.names import Index, index_of
from commands.plan import Plan
from commands.registry import Command, Registry
from commands.schema import Kind, Parameter
from commands.tokens import Form, Token, command_start, tokenise
from core.aliases.formats import folded
from core.approvals.requests import service as requests
from core.approvals.requests.model import RequestStatus
from core.collab import tasks
from core.collab.agents import service as agents
from core.database import Tx
from core.kernel.ids import PREFIX_NOUNS
from core.leases import service as leases

MOST_ITEMS = 50
_IDS_READ = 100


class ItemKind(StrEnum):
    """What an item completes."""

    COMMAND = "command"
    FLAG = "flag"
    VALUE = "value"
    ID = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One completion: `text` replaces the line from `start` to the cursor."""

    text: str
    start: int
    kind: ItemKind
    summary: str = ""


def complete(tx: Tx, registry: Registry, line: str, *, pos: int) -> list[Item]:
    """List what may stand at character `pos` of a line, the likeliest first.

    Shape:  at most 50 items, only of what the principal may run; none inside of quotes
            or JSON. What follows the cursor is not looked at.
    """
    place = _place(line[:pos])
    if place is None:
        return []
    asked = _Question(tx, index_of(registry), place)
    items = {item.text: item for item in asked.answer()}
    return list(items.values())[:MOST_ITEMS]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The tokens before the word at the cursor, and that word as far as it is written."""

    before: Sequence[Token]
    word: str
    start: int
    key: str = ""


def _place(head: str) -> _Place | None:
    start, _ = command_start(head)
    scan = tokenise(head, start)
    if scan.fault:
        return None
    tokens = scan.tokens
    if not tokens or tokens[-1].end < len(head):
        return _Place(before=tokens, word="", start=len(head))
    *before, last = tokens
    if last.form is Form.FLAG:
        return _Place(before=before, word=last.key, start=last.start)
    if last.form is not Form.WORD:
        return None
    start = len(head) - len(last.text)
    return _Place(before=before, word=last.text, start=start, key=last.key)


class _Question:
    """One place in one line, and everything that could go on there."""

    def __init__(self, tx: Tx, index: Index, place: _Place) -> None:
        self._tx = tx
        self._index = index
        self._place = place
        self._commands = [
            plan.command
            for name, plan in index.phrases.items()
            if name == plan.command.name and _may(tx, plan.command)
        ]

    def answer(self) -> Iterator[Item]:
        """Yield the items of every way in which the line may go on."""
        yield from self._names(self._place.before)
        before = self._place.before
        found = self._index.find(before) if before else None
        if not before:
            yield from self._own()
        elif found is None:
            yield from self._ids_of_verb()
        elif _may(self._tx, found[0].command):
            yield from self._arguments(found[0], before[found[1] :])

    def _own(self) -> Iterator[Item]:
        """Complete the first word of the team's own aliases."""
        word = folded(self._place.word)
        if self._place.key or not self._tx.principal.linked:
            return
        for each in book_of(self._tx):
            first = each.pattern.first
            if first.startswith(word) and not is_claimed(self._index, first):
                yield self._item(first, ItemKind.COMMAND, each.format.shown)

    def _names(self, said: Sequence[Token]) -> Iterator[Item]:
        """Complete the name of a command, word by word."""
        lead = " ".join(token.text.lower() for token in said)
        begun = f"{lead} {self._place.word.lower()}".lstrip()
        for each in self._commands:
            if each.name.startswith(begun) and not self._place.key:
                rest = each.name[len(lead) :].lstrip()
                word, _, more = rest.partition(" ")
                yield self._item(word, ItemKind.COMMAND, "" if more else each.summary)

    def _ids_of_verb(self) -> Iterator[Item]:
        """Complete the id in `approve T-12`: any noun that has this verb may stand here."""
        if len(self._place.before) != 1:
            return
        verb = self._place.before[0].text.lower()
        for prefix, noun in PREFIX_NOUNS.items():
            named = self._index.phrases.get(f"{noun} {verb}")
            if named and named.command.target and _may(self._tx, named.command):
                yield from self._ids(prefix)

    def _arguments(self, plan: Plan, given: Sequence[Token]) -> Iterator[Item]:
        if named := self._named(plan, given):
            yield from self._values(named)
            return
        if plan.command.name == "help":
            yield from self._names(given)
            yield from self._own()
        if not self._place.word.startswith("-"):
            yield from self._positional(plan, given)
        if self._place.word[:1] in ("", "-"):
            yield from self._flags(plan, given)

    def _named(self, plan: Plan, given: Sequence[Token]) -> Parameter | None:
        """Find the parameter whose flag stands right before the word."""
        key = self._place.key.rstrip("=")
        if not key and given and given[-1].form is Form.FLAG:
            key = given[-1].key
        found = plan.named.get(key.lstrip("-").lower().replace("-", "_"))
        is_switch = found is not None and found.kind is Kind.FLAG
        return None if is_switch else found

    def _positional(self, plan: Plan, given: Sequence[Token]) -> Iterator[Item]:
        placed = _count_placed(plan, given)
        rest = plan.positional[placed:] or [
            p for p in plan.positional[-1:] if p.is_list
        ]
        if rest:
            yield from self._values(rest[0])

    def _flags(self, plan: Plan, given: Sequence[Token]) -> Iterator[Item]:
        """Complete a flag: the command's own first, and the common ones once begun."""
        used = {token.key.lstrip("-").rstrip("=").replace("-", "_") for token in given}
        word = self._place.word
        own = list(plan.command.parameters)
        common = [plan.named[name] for name in sorted(plan.globals)] if word else []
        for each in (*own, *common):
            is_free = each.is_list or each.name not in used
            if is_free and not each.is_positional and each.flag.startswith(word):
                yield self._item(each.flag, ItemKind.FLAG, each.doc)

    def _values(self, parameter: Parameter) -> Iterator[Item]:
        if parameter.kind is Kind.REF:
            yield from self._ids(parameter.prefix)
        elif parameter.kind is Kind.PERSON:
            yield from self._begun(("me", *_people(self._tx)), ItemKind.VALUE)
        else:
            yield from self._begun(parameter.choices, ItemKind.VALUE)

    def _ids(self, prefix: str) -> Iterator[Item]:
        reader = _LIVE.get(prefix)
        if reader is None or not self._tx.principal.may(reader.scope):
            return
        yield from self._begun(reader.read(self._tx), ItemKind.ID)

    def _begun(self, words: Iterable[str], kind: ItemKind) -> Iterator[Item]:
        """Yield the words that begin as the last element of the list at the cursor."""
        _, comma, begun = self._place.word.rpartition(",")
        before = self._place.word[: len(self._place.word) - len(begun)] if comma else ""
        for word in words:
            if word.casefold().startswith(begun.casefold()):
                yield self._item(before + word, kind)

    def _item(self, text: str, kind: ItemKind, summary: str = "") -> Item:
        return Item(text=text, start=self._place.start, kind=kind, summary=summary)


def _may(tx: Tx, command: Command) -> bool:
    return command.is_open or (tx.principal.linked and tx.principal.may(command.scope))


def _count_placed(plan: Plan, given: Sequence[Token]) -> int:
    """Count the tokens that stand for themselves, neither flags nor their values."""
    count, is_value = 0, False
    for token in given:
        if token.form is Form.FLAG:
            named = plan.named.get(token.key.lstrip("-").replace("-", "_"))
            is_value = named is not None and named.kind is not Kind.FLAG
        else:
            count += not is_value and not token.key
            is_value = False
    return count


@dataclass(frozen=True, slots=True)
class _Reader:
    scope: str
    read: Callable[[Tx], Sequence[str]]


def _tasks(tx: Tx) -> Sequence[str]:
    return [each.id for each in tasks.list_(tx, limit=_IDS_READ).items]


def _leases(tx: Tx) -> Sequence[str]:
    return [each.lock_id for each in leases.list_(tx, limit=_IDS_READ).items]


def _people(tx: Tx) -> Sequence[str]:
    if not tx.principal.may("agents:read"):
        return ()
    return [each.name for each in agents.list_(tx)][:_IDS_READ]


def _approvals(tx: Tx) -> Sequence[str]:
    page = requests.list_(tx, RequestStatus.WAITING, limit=_IDS_READ)
    return [each.id for each in page.items]


_LIVE: Mapping[str, _Reader] = {
    "T": _Reader("tasks:read", _tasks),
    "L": _Reader("leases:read", _leases),
    "AP": _Reader("approvals:read", _approvals),
}
