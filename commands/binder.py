"""From tokens or JSON to the validated arguments of one command."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NoReturn

import orjson

from commands.flags import MODEL, SHORT, WAIT_UNLESS_SAID, options_of
from commands.invocation import Options
from commands.plan import Plan, may_echo, unknown_field, unknown_flag
from commands.render import quote
from commands.schema import Kind, Parameter
from commands.times import is_duration
from commands.tokens import MAX_TOKENS, Form, Token
from commands.validation import validated
from commands.values import Caller, from_json, from_text
from commands.words import shown
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

_QUOTES = ('"', "'", "“", "”", "„", "‟", "‘")
_FLAG_LIKE = re.compile(r"-{1,2}[^\W\d]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Validated arguments (defaults included), which of them were given, and flags."""

    args: Mapping[str, Any]
    given: frozenset[str]
    options: Options


def bind_tokens(
    plan: Plan, text: str, tokens: Sequence[Token], *, used: int, caller: Caller
) -> Bound:
    """Bind the tokens of a line after the `used` ones that name the command.

    Raises: UnknownFlag, InvalidArgument, quoting the offending token.
    """
    line = _Line(plan, text, tokens, caller=caller)
    line.read(used)
    return _bound(plan, line.values)


def bind_filled(
    plan: Plan,
    text: str,
    tokens: Sequence[Token],
    fixed: Mapping[str, Json],
    *,
    used: int,
    caller: Caller,
) -> Bound:
    """Bind tokens as a line's, with values that hold whatever the tokens say.

    Raises: UnknownFlag, InvalidArgument, quoting the offending token.
    """
    line = _Line(plan, text, tokens, caller=caller)
    line.read(used)
    return _bound(plan, line.values | _json_values(plan, fixed, caller))


def read_tokens(
    plan: Plan, text: str, tokens: Sequence[Token], *, used: int, caller: Caller
) -> Mapping[str, Any]:
    """Tell which parameter each token would set, without a last word on its value.

    Raises: UnknownFlag, InvalidArgument, quoting the offending token.
    """
    line = _Line(plan, text, tokens, caller=caller)
    line.read(used)
    return line.values


def bind_json(plan: Plan, args: Mapping[str, Json], *, caller: Caller) -> Bound:
    """Bind a JSON object; nothing in it is repaired, and no type is changed.

    Raises: UnknownFlag for a field that is no parameter, InvalidArgument.
    """
    return _bound(plan, _json_values(plan, args, caller))


def _json_values(
    plan: Plan, args: Mapping[str, Json], caller: Caller
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in args.items():
        parameter = plan.named.get(name)
        if parameter is None:
            raise unknown_field(plan, name)
        values[name] = from_json(parameter, value, caller=caller)
    return values


def _bound(plan: Plan, values: dict[str, Any]) -> Bound:
    flags = {name: values.pop(name) for name in plan.globals & values.keys()}
    if flags:
        checked = validated(MODEL, flags, plan)
        flags = {name: checked[name] for name in flags}
    args = validated(plan.command.model, values, plan)
    for name in plan.tuples:
        if type(args[name]) is list:
            args[name] = tuple(args[name])
    return Bound(args=args, given=frozenset(values), options=options_of(flags))


class _Line:
    """The tokens of one line on their way into values."""

    __slots__ = ("at", "caller", "last_place", "plan", "text", "tokens", "values")

    def __init__(
        self, plan: Plan, text: str, tokens: Sequence[Token], *, caller: Caller
    ) -> None:
        self.plan = plan
        self.text = text
        self.tokens = tokens
        self.caller = caller
        self.at = 0
        self.last_place: Token | None = None
        self.values: dict[str, Any] = {}

    def read(self, used: int) -> None:
        """Bind every token after the first `used` ones."""
        self.at = used
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.form is Form.FLAG or token.key.startswith("-"):
                self._flag(token)
            elif token.key and (parameter := self._named(token.key)):
                self._put(parameter, token)
            elif token.form is Form.JSON and token.text[0] == "{" and not token.key:
                self._object(token)
            else:
                self._positional(token)

    def _named(self, key: str) -> Parameter | None:
        """Find the parameter that a key names; one hyphen names short flags alone."""
        if parameter := self.plan.spelled.get(key):
            return parameter
        if key[0] == "-" != key[1]:
            return self.plan.named.get(SHORT.get(key, ""))
        return self.plan.named.get(key.lstrip("-").lower().replace("-", "_"))

    def _flag(self, token: Token) -> None:
        parameter = self._named(token.key)
        if parameter is None:
            self._negated(token)
        elif token.form is not Form.FLAG:
            self._put(parameter, token)
        elif parameter.kind is Kind.FLAG:
            self._set(parameter, token, value=True)
        elif value := self._value_after(parameter):
            self.at += 1
            self._put(parameter, value, flag=token)
        elif self._has_wait(parameter):
            self._set(parameter, token, value=self._one(parameter, WAIT_UNLESS_SAID))
        else:
            raise InvalidArgument(
                f"{shown(token.key)} needs a value",
                fix=self.plan.help,
                argument=parameter.name,
            )

    def _value_after(self, parameter: Parameter) -> Token | None:
        """Return the next token if it is the value of the flag before it."""
        following = self.tokens[self.at] if self.at < len(self.tokens) else None
        if following is None or following.key.startswith("-"):
            return None
        if self._has_wait(parameter) and not is_duration(following.text):
            return None
        return following

    def _has_wait(self, parameter: Parameter) -> bool:
        """Tell whether this is the one flag that may go without its value."""
        return parameter.name == "wait" and "wait" in self.plan.globals

    def _negated(self, token: Token) -> None:
        """Read `--no-name`; what else is no parameter is refused."""
        positive = token.key.replace("--no-", "--", 1)
        parameter = self._named(positive) if positive != token.key else None
        if parameter is None or parameter.kind is not Kind.FLAG or token.text:
            self._refuse_flag(token, token.key)
        self._set(parameter, token, value=False)

    def _object(self, token: Token) -> None:
        """Read an object whose keys are parameters, or that is itself an argument."""
        fields = orjson.loads(token.text)
        place = self._place()
        has_names = fields.keys() <= self.plan.named.keys()
        if place is not None and place.kind is Kind.OBJECT and not has_names:
            self._put(place, token)
            return
        for name, value in _json_values(self.plan, fields, self.caller).items():
            self._set(self.plan.named[name], token, value=value)

    def _positional(self, token: Token) -> None:
        parameter = self._place()
        if token.form is Form.WORD and is_flag_like(token.text) and not token.key:
            self._refuse_flag(token, token.text)
        if parameter is None:
            self._refuse_extra(token)
        self.last_place = token
        self._put(parameter, token)

    def _place(self) -> Parameter | None:
        """Return the first positional parameter that is free, or takes more."""
        places = self.plan.positional
        for each in places:
            if each.name not in self.values or (each.is_list and each is places[-1]):
                return each
        return None

    def _put(
        self, parameter: Parameter, token: Token, *, flag: Token | None = None
    ) -> None:
        """Set a parameter to what a token says; `flag` is the one before the token."""
        is_pair = bool(token.key) and (flag is not None or not self._named(token.key))
        text = self._pair(token, parameter) if is_pair else token.text
        is_quoted = token.form is Form.QUOTED
        if not parameter.is_list:
            value = self._one(parameter, text, is_quoted=is_quoted)
        elif token.form is Form.JSON and text[0] == "[":
            value = from_json(parameter, orjson.loads(text), caller=self.caller)
        else:
            parts = [text] if is_pair else _parts(parameter, text)
            value = [
                self._one(parameter, each, is_quoted=is_quoted)
                for each in parts
                if each
            ]
        self._set(parameter, flag or token, value=value)

    def _pair(self, token: Token, parameter: Parameter) -> str:
        """Return `a=b` as text, where `a` is no parameter; a text keeps quotes."""
        if parameter.is_list or token.form is Form.WORD:
            return f"{token.key}={token.text}"
        return self.text[token.start : token.end]

    def _one(self, parameter: Parameter, text: str, *, is_quoted: bool = False) -> Any:
        is_open = not is_quoted and text.startswith(_QUOTES)
        if is_open and parameter.kind is not Kind.OBJECT:
            raise InvalidArgument(
                f"a quote in {parameter.flag} is not closed",
                fix=["put one pair of quotes around the whole value"],
                argument=parameter.name,
            )
        return from_text(parameter, text, caller=self.caller, is_quoted=is_quoted)

    def _set(self, parameter: Parameter, token: Token, *, value: Any) -> None:
        name = parameter.name
        before = self.values.get(name)
        if parameter.is_list and isinstance(before, list) and isinstance(value, list):
            before.extend(value)
        elif name in self.values:
            raise InvalidArgument(
                f"{shown(token.key or parameter.flag)} gives {name} a second time",
                fix=[f"give {parameter.flag} once", *self.plan.help],
                argument=name,
            )
        else:
            self.values[name] = value

    def _refuse_flag(self, token: Token, key: str) -> NoReturn:
        start = self.tokens[0].start
        _, mark, value = self.text[token.start : token.end].partition("=")
        raise unknown_flag(
            self.plan,
            key,
            before=self.text[start : token.start],
            after=mark + value + self.text[token.end :],
        )

    def _refuse_extra(self, token: Token) -> NoReturn:
        # It may be the second word of a secret that should have been quoted.
        extra = shown(self.text[token.start : token.end])
        said = "this" if self.plan.has_secrets else extra
        raise InvalidArgument(
            f"{said} is one argument too many for {self.plan.command.name}",
            fix=["quote it if it is one text", *self._as_one_text(), *self.plan.help],
        )

    def _as_one_text(self) -> Sequence[str]:
        """Write the line with its last text and what follows in one pair of quotes."""
        places = self.plan.positional
        if not places or places[-1].kind is not Kind.TEXT or self.last_place is None:
            return ()
        after = self.tokens[self.tokens.index(self.last_place) :]
        run = list(takewhile(_is_plain, after))
        if not run:
            return ()
        text, first, last = self.text, run[0].start, run[-1].end
        before = text[self.tokens[0].start : first]
        line = before + quote(text[first:last]) + text[last:]
        return (line,) if may_echo(self.plan, line) else ()


def _is_plain(token: Token) -> bool:
    return token.form is Form.WORD and not token.key


def _parts(parameter: Parameter, text: str) -> Sequence[str]:
    """Cut `a,b,c`; a list too long for that is sent as JSON, which is read faster."""
    if text.count(",") >= MAX_TOKENS:
        raise InvalidArgument(
            f"{parameter.flag} has more than {MAX_TOKENS} elements",
            fix=["give a list as long as this as a JSON array"],
            argument=parameter.name,
        )
    return [part.strip() for part in text.split(",")]


def is_flag_like(text: str) -> bool:
    """Tell whether a plain word looks like a flag; a number below zero does not."""
    return bool(_FLAG_LIKE.match(text))
