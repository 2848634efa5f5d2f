"""From the first words of a line to the command that they name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from commands.plan import Plan, may_echo, plan_of
from commands.registry import Command, Outage, Registry
from commands.suggest import nearest
from commands.tokens import Form, Token
from commands.words import id_in, is_reference, shown
from core.kernel.ids import PREFIX_NOUNS
from core.kernel.problems import (
    CommandDisabled,
    NotACommand,
    Problem,
    UnknownCommand,
)

ALIASES: Mapping[str, Sequence[str]] = {
    "list": ("ls",),
    "show": ("get", "view", "describe"),
    "create": ("new", "add"),
    "delete": ("rm",),
    "cancel": ("stop",),
    "run-now": ("run",),
}

# What people say to the one thing they were asked; it is a command only on its own.
PLAIN_WORDS: Mapping[str, str] = {
    "yes": "confirm",
    "y": "confirm",
    "no": "cancel",
    "n": "cancel",
}

_PATH = re.compile(r"[\\/]|\.{1,2}[\\/]|~[\\/]|[A-Za-z]:[\\/]|\w+/")
_MOST_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The commands of one registry under everything that they may be called.

    Shape:  `phrases` holds lower-case words joined by spaces: names, plurals, aliases
            and "verb noun". A phrase that two commands could claim belongs to none,
            unless it is the name of one. `nouns` knows singulars and plurals. `starts`
            are the words that make a line look like a command, `verbs` those that may
            stand before an id. `outages` are the first words of what is disabled.
    """

    phrases: Mapping[str, Plan]
    nouns: Mapping[str, str]
    starts: frozenset[str]
    verbs: frozenset[str]
    outages: Mapping[str, Outage] = field(default_factory=dict)

    def find(self, tokens: Sequence[Token], this: str = "") -> tuple[Plan, int] | None:
        """Find the command that a line begins with, and how many tokens name it.

        Shape:  `this` is the id that the word stands for, "" when it has none.
        """
        words = leading_words(tokens)
        if len(tokens) == 1 and words:
            words = [PLAIN_WORDS.get(words[0].rstrip(".!"), words[0])]
        for count in range(len(words), 1, -1):
            if named := self.phrases.get(" ".join(words[:count])):
                return named, count
        if (
            words
            and len(tokens) > 1
            and (named := self._of_id(tokens[1], words[0], this))
        ):
            return named, 1
        if words and (named := self.phrases.get(words[0])):
            return named, 1
        named = self._of_id(tokens[0], "show")
        return (named, 0) if named else None

    def refers_back(self, tokens: Sequence[Token]) -> bool:
        """Tell whether a line is a verb and a word for something said before."""
        if len(tokens) < 2:
            return False
        first, second = tokens[:2]
        is_verb = first.form is Form.WORD and first.text.lower() in self.verbs
        return is_verb and second.form is Form.WORD and is_reference(second.text)

    def _of_id(self, token: Token, verb: str, this: str = "") -> Plan | None:
        word = this if this and token.text.lower() == "this" else token.text
        identifier = id_in(word) if token.form is Form.WORD else ""
        noun = PREFIX_NOUNS[identifier.partition("-")[0]] if identifier else ""
        return self.phrases.get(f"{noun} {verb}") if noun else None


def index_of(registry: Registry) -> Index:
    """Return the index of a registry; it is built once for each set of commands."""
    return registry.derive(_build)


def leading_words(tokens: Sequence[Token]) -> list[str]:
    """Return the plain words at the start that may be a name, in lower case."""
    words: list[str] = []
    for token in tokens[:_MOST_WORDS]:
        if token.form is not Form.WORD or token.key:
            break
        words.append(token.text.lower())
    return words


def not_found(
    index: Index,
    text: str,
    tokens: Sequence[Token],
    *,
    is_addressed: bool,
    own: Sequence[str] = (),
) -> Problem:
    """Say why a line names no command, and which one it may have meant.

    `is_addressed` lines began with `/ops` or the like: they were meant as a command.
    `own` are the aliases that it is near to, as they are written.
    """
    first, words = tokens[0], leading_words(tokens)
    if disabled := disabled_by(index, words):
        return disabled
    if first.form is Form.WORD and _PATH.match(first.text):
        return NotACommand(f"{shown(first.text)} is a path", fix=["help"])
    if not (is_addressed or own or _is_meant(index, words)):
        return NotACommand(f"{shown(first.text)} begins no command", fix=["help"])
    # A noun and an id, without a verb, most likely ask to see it.
    has_verb = len(words) < 2 or not id_in(words[1]) or words[0] not in index.nouns
    near = suggestions(index, words if has_verb else [words[0], "show"])
    names = near[: 3 - len(own)]
    asked = text[first.start : tokens[max(len(words[:2]) - 1, 0)].end]
    rest = text[tokens[_name_length(index, words) - 1].end :]
    # One of them takes a secret: then any of the words may be it.
    is_safe = all(may_echo(index.phrases[name], f"{name}{rest}") for name in names)
    lines = [f"{name}{rest}" if is_safe else name for name in names]
    return UnknownCommand(
        f"{shown(asked)} is not a command",
        fix=[*own, *lines] or ["help"],
        suggestions=[*own, *names],
    )


def disabled_by(index: Index, words: Sequence[str]) -> CommandDisabled | None:
    """Say what keeps a command away that begins with these words; None if nothing."""
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        begun = " ".join(words[:count])
        if outage := index.outages.get(begun):
            return CommandDisabled(
                f"{begun} is disabled: {outage.why}", fix=[outage.fix]
            )
    return None


def phrases_of(command: Command) -> Iterator[str]:
    """List everything that a command may be called."""
    yield command.name
    yield from _other_phrases(command)


def suggestions(index: Index, words: Sequence[str], *, limit: int = 3) -> list[str]:
    """Return the names of the commands that some first words are nearest to.

    Shape:  only commands of the noun, when the first word is one.
    """
    names: dict[str, None] = {}
    for count in (2, 3, 1):
        for phrase in nearest(" ".join(words[:count]), index.phrases, limit=24):
            names[index.phrases[phrase].command.name] = None
    noun = index.nouns.get(words[0], "") if words else ""
    if not noun:
        return list(names)[:limit]
    commands = (plan.command for plan in index.phrases.values())
    of_noun = {each.name for each in commands if each.noun == noun}
    close = [name for name in names if name in of_noun]
    return (close or sorted(of_noun))[:limit]


def _is_meant(index: Index, words: Sequence[str]) -> bool:
    """Tell whether prose would hardly begin like this."""
    return bool(words) and bool(id_in(words[0]) or nearest(words[0], index.starts))


def _name_length(index: Index, words: Sequence[str]) -> int:
    """Tell how many words were meant as a name, though they name nothing."""
    if len(words) < 2 or id_in(words[1]):
        return 1
    return 2 if words[0] in index.nouns or nearest(words[1], index.starts) else 1


def _build(registry: Registry) -> Index:
    plans = {each.name: plan_of(each) for each in registry}
    claims: dict[str, set[str]] = {}
    for plan in plans.values():
        for phrase in _other_phrases(plan.command):
            claims.setdefault(phrase, set()).add(plan.command.name)
    phrases = {
        phrase: plans[name]
        for phrase, names in claims.items()
        if len(names) == 1
        for name in names
    }
    phrases |= plans
    nouns = {form: noun for noun in registry.nouns for form in reversed(_forms(noun))}
    verbs = {form for plan in plans.values() for form in _verb_forms(plan.command.verb)}
    return Index(
        phrases=phrases,
        nouns=nouns,
        starts=frozenset((*nouns, *(verbs - {""}))),
        verbs=frozenset(verbs - {""}),
        outages=registry.outages,
    )


def _other_phrases(command: Command) -> Iterator[str]:
    """Write a command's name with plurals and aliases, and with its verb in front."""
    *nouns, verb = command.name.split()
    if not nouns:
        return
    for forms in product(*(_forms(noun) for noun in nouns), _verb_forms(verb)):
        *leading, last = forms
        yield " ".join(forms)
        yield " ".join((last, *leading))


def _verb_forms(verb: str) -> Sequence[str]:
    return (verb, *ALIASES.get(verb, ()))


def _forms(noun: str) -> Sequence[str]:
    """Return a noun's singular and plural."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun, f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun, f"{noun[:-1]}ies"
    return noun, f"{noun}s"
