"""From a line of the team's own words to the command that it stands for."""

from commands.alias_book import Heard
from commands.alias_templates import fill
from commands.binder import bind_filled
from commands.invocation import Invocation, Spoken
from commands.names import PLAIN_WORDS, Index, disabled_by, leading_words
from commands.plan import Plan
from commands.registry import Command, Danger
from commands.render import render_line
from commands.values import Caller
from commands.words import id_in, is_reference
from core.kernel.problems import Conflict

# `only` begins the guard line of a mail; the terminal is left by `exit` and `quit`.
_OURS = frozenset({"plan", "ops", "only", "exit", "quit", *PLAIN_WORDS})


def is_claimed(index: Index, word: str) -> bool:
    """Tell whether a word begins commands, so that no alias may begin with it.

    Shape:  those of a disabled plugin stay its own, and an id is a command by itself;
            a number alone chooses from a list.
    """
    is_known = word in index.starts or has_meaning(word)
    return is_known or any(_begins(each, word) for each in index.outages)


def has_meaning(word: str) -> bool:
    """Tell whether a word means something wherever lines are read, whatever commands are."""
    is_object = is_reference(word) or bool(id_in(word))
    return word in _OURS or word.isdigit() or is_object


def _begins(phrase: str, word: str) -> bool:
    return phrase.partition(" ")[0] == word


def invoke(heard: Heard, index: Index, caller: Caller) -> Invocation:
    """Fill in the command that a line stands for.

    Raises: Conflict when the command is gone, or is none that an alias may stand for
            any more; UnknownFlag, InvalidArgument when the values do not fit it.
    """
    alias = heard.spelling.alias
    plan, used = _plan(heard, index)
    filled = fill(heard.spelling.template, heard.values, plan)
    bound = bind_filled(
        plan,
        filled.text,
        [*filled.tokens, *heard.flags],
        alias.definition.fixed,
        used=used,
        caller=caller,
    )
    return Invocation(
        command=plan.command,
        args=bound.args,
        options=bound.options,
        canonical=render_line(plan.command, bound.args),
        given=bound.given,
        alias=Spoken(
            name=alias.name,
            values={name: value.text for name, value in heard.values.items()},
            ack=alias.definition.ack,
            result=alias.definition.result,
        ),
    )


def why_not(command: Command) -> str:
    """Say why no alias may stand for a command; "" when one may."""
    if command.danger is Danger.DESTRUCTIVE:
        return "cannot be taken back"
    if command.is_macro:
        return "stands for another command"
    if command.is_personal:
        return "is for a person to decide"
    has_secret = bool(command.hides) or any(
        each.is_secret for each in command.parameters
    )
    return "is about a secret" if has_secret else ""


def _plan(heard: Heard, index: Index) -> tuple[Plan, int]:
    alias, tokens = heard.spelling.alias, heard.spelling.template.tokens
    found = index.find(tokens)
    if found is None:
        raise disabled_by(index, leading_words(tokens)) or Conflict(
            f"the alias {alias.name} stands for {alias.definition.command!r}, "
            "which is no command here any more",
            fix=[
                f'alias set {alias.name} --command "task list"',
                f"alias show {alias.name}",
                f"alias delete {alias.name}",
            ],
        )
    if reason := why_not(found[0].command):
        raise Conflict(
            f"the alias {alias.name} stands for {found[0].command.name}, which {reason}",
            fix=[f"alias show {alias.name}", f"help {found[0].command.name}"],
        )
    return found
