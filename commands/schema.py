"""From a handler's signature to the parameters and the pydantic model of a command."""

import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticSchemaGenerationError


class Kind(StrEnum):
    """How the text of an argument becomes a value, and what a form would show."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    TIME = "time"
    DURATION = "duration"
    OBJECT = "object"
    REF = "ref"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a parameter as the id of a noun: `Annotated[str, Ref("T")]`."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Person:
    """Marks a parameter as the name of a person or agent: `@ann`, `me`."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a parameter whose value is never echoed: not in lines, not in errors."""


@dataclass(frozen=True, slots=True)
class Doc:
    """One sentence of help for a parameter."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument of a command.

    `is_positional` ones may stand without a name; `is_list` ones take `a,b,c` or a
    repeated flag. `prefix` is the id prefix of a REF. `choices` are the values of a
    CHOICE. An `is_secret` one is left out of every line that is written back. `flag`
    is how it is written as one: `--if-match`.
    """

    name: str
    kind: Kind
    annotation: Any
    is_positional: bool
    is_required: bool
    is_list: bool
    default: Any = None
    choices: Sequence[str] = ()
    prefix: str = ""
    doc: str = ""
    is_secret: bool = False

    flag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flag", "--" + self.name.replace("_", "-"))


class Arguments(BaseModel):
    """The base of all argument models: strict types, and unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def parameters_of(handler: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Read the parameters off a handler; the first one is its Context."""
    hints = typing.get_type_hints(handler, include_extras=True)
    signature = inspect.signature(handler)
    return tuple(
        _parameter(each, hints.get(each.name, str))
        for each in list(signature.parameters.values())[1:]
    )


class Form:
    """The pydantic model that validates a command's arguments, built when first used.

    A process declares many commands and is asked for few of them; building a model
    takes a third of a millisecond and some memory.
    """

    def __init__(self, name: str, parameters: Sequence[Parameter]) -> None:
        """Take what the model is made of.

        Raises: TypeError naming an argument that nobody could type.
        """
        self._name = name
        self._parameters = parameters
        for each in parameters:
            if each.kind is Kind.OBJECT and not _is_typed(each.annotation):
                raise TypeError(
                    f"{name}: the argument {each.name} is of a kind that cannot be "
                    "typed: use str, int, float, bool, datetime, a Literal or a list "
                    "of these"
                )

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model."""
        words = self._name.replace("-", " ").split()
        title = "".join(part.capitalize() for part in words)
        fields: dict[str, Any] = {
            each.name: (
                each.annotation,
                Field(
                    default=... if each.is_required else each.default,
                    description=each.doc or None,
                ),
            )
            for each in self._parameters
        }
        return create_model(f"{title}Arguments", __base__=Arguments, **fields)


def by_plain_names(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Have a handler take `as` for its parameter `as_`, which Python cannot name so."""
    raw = {_plain(each): each for each in inspect.signature(handler).parameters}
    if all(plain == own for plain, own in raw.items()):
        return handler

    @functools.wraps(handler)
    def spelled(context: Any, **args: Any) -> Any:
        return handler(context, **{raw[name]: value for name, value in args.items()})

    return spelled


def _is_typed(annotation: Any) -> bool:
    try:
        TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        return False
    return True


def _plain(name: str) -> str:
    return name.removesuffix("_") or name


def _parameter(raw: inspect.Parameter, annotation: Any) -> Parameter:
    inner, notes = _strip(annotation)
    is_list = typing.get_origin(inner) in (Sequence, list, tuple)
    if is_list:
        inner, more = _strip(typing.get_args(inner)[0])
        notes = (*notes, *more)
    is_required = raw.default is inspect.Parameter.empty
    return Parameter(
        name=_plain(raw.name),
        kind=_kind(inner, notes),
        annotation=annotation,
        is_positional=raw.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD,
        is_required=is_required,
        is_list=is_list,
        default=None if is_required else raw.default,
        choices=_choices(inner),
        prefix=next((note.prefix for note in notes if isinstance(note, Ref)), ""),
        doc=next((note.text for note in notes if isinstance(note, Doc)), ""),
        is_secret=any(isinstance(note, Secret) for note in notes),
    )


def _strip(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Take `Annotated` and `| None` off a type; return it with the notes found."""
    notes: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(annotation)
        if origin is Annotated:
            annotation, *more = typing.get_args(annotation)
            notes = (*notes, *more)
        elif origin in (types.UnionType, typing.Union):
            inner = [
                part for part in typing.get_args(annotation) if part is not type(None)
            ]
            if len(inner) != 1:
                return annotation, notes
            annotation = inner[0]
        else:
            return getattr(annotation, "__supertype__", annotation), notes


_KINDS: dict[type, Kind] = {
    bool: Kind.FLAG,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    str: Kind.TEXT,
    datetime: Kind.TIME,
    timedelta: Kind.DURATION,
    dict: Kind.OBJECT,
}


def _kind(inner: Any, notes: tuple[Any, ...]) -> Kind:
    if any(isinstance(note, Ref) for note in notes):
        return Kind.REF
    if any(isinstance(note, Person) for note in notes):
        return Kind.PERSON
    if typing.get_origin(inner) is typing.Literal:
        return Kind.CHOICE
    if isinstance(inner, type) and issubclass(inner, Enum):
        return Kind.CHOICE
    return _KINDS.get(typing.get_origin(inner) or inner, Kind.OBJECT)


def _choices(inner: Any) -> tuple[str, ...]:
    if typing.get_origin(inner) is typing.Literal:
        return tuple(str(value) for value in typing.get_args(inner))
    if isinstance(inner, type) and issubclass(inner, Enum):
        return tuple(str(member.value) for member in inner)
    return ()
