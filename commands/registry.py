"""Commands as values: declared once by a decorator, listed once, reached from everywhere."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel

from commands.schema import (
    Form,
    Kind,
    Parameter,
    by_plain_names,
    parameters_of,
)
from core.database import Tx
from core.kernel.principal import Assurance
from core.kernel.reply import Reply

IfMatch = Literal["", "optional", "required"]
Alters = Literal["", "rights", "channels", "inbox", "outbox", "aliases"]
WORK_SCOPE = "runs:work"
Handler = Callable[..., Any]
Derived = TypeVar("Derived")


class Danger(StrEnum):
    """What a command may do, from harmless to beyond repair."""

    READ = "read"
    WRITE = "write"
    RISKY = "risky"
    DESTRUCTIVE = "destructive"


class Trace(StrEnum):
    """What a call that was allowed leaves behind, beside its effect.

    Shape:  ENTRY is an audit entry, and the answer under its key. ANSWER is the answer
            alone, and that only if its sender gave a key. NOTHING is for what had no
            effect: sent again under its key, it is asked again.
    """

    ENTRY = "entry"
    ANSWER = "answer"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One HTTP method and path that reaches a command; path names are argument names."""

    method: str
    path: str


def _entry(_: Reply) -> Trace:
    return Trace.ENTRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that can be asked, and everything the doors need to know of it.

    Shape:  `name` is "noun verb" or one built-in word. `form` validates the arguments.
            `routes` are its REST paths, the first the canonical one; `status` is what
            they answer on success. `if_match` tells whether they take an ETag.
            `target` names the parameter that identifies the object, "" if none does;
            a proposal is bound to what `fingerprint` tells of that object's state.
            `result` describes `data`. `is_open` commands run for unlinked senders,
            `is_control` ones never wait behind work. A macro's handler returns the
            line that it stands for, and that runs instead. `hides` names the fields
            of `data` that are told once, to whoever asked alone, and never stored;
            but for open commands they are told only at a door that keeps nothing.
            `alters` names what doors
            keep in memory and read again once it has run. One that `looks_back` reads
            what was noted of earlier commands, and so waits until it is. What
            `is_personal` a person decides, never a machine in somebody's name. With a
            parameter of `bulk` a write touches many things at once, and is risky.
            `keeps_line` names the parameter with a line that will run later: a write
            is as risky as that line, because whoever makes it consents once.
            `file` names the field of `data` that holds the id of an artifact: a REST
            route answers with its bytes whoever does not ask for JSON.
            One that `is_previewed` is confirmed by whoever read what it would answer.
            `plugin` names what brings it, "" for our own; `edition` is another one
            whenever the code of that plugin is. `require_free` raises the Problem
            that keeps it from being taken now. `trace` tells what is left of a call
            that was allowed; what workers do all day would bury everything else.
    """

    name: str
    handler: Handler
    scope: str
    danger: Danger
    summary: str
    doc: str
    examples: Sequence[str]
    routes: Sequence[Route]
    status: int
    if_match: IfMatch
    target: str
    parameters: Sequence[Parameter]
    ref_names: Sequence[str]
    form: Form
    result: Any = None
    assurance: Assurance = Assurance.UNVERIFIED
    fingerprint: Callable[[Tx, str], str] | None = None
    hides: Sequence[str] = ()
    file: str = ""
    bulk: Sequence[str] = ()
    keeps_line: str = ""
    alters: Alters = ""
    looks_back: bool = False
    is_open: bool = False
    is_control: bool = False
    is_macro: bool = False
    is_personal: bool = False
    is_previewed: bool = False
    is_async: bool = False
    plugin: str = ""
    edition: str = ""
    require_free: Callable[[], None] | None = None
    trace: Callable[[Reply], Trace] = _entry

    @property
    def noun(self) -> str:
        """The first word."""
        return self.name.partition(" ")[0]

    @property
    def verb(self) -> str:
        """What follows the noun; "" for a built-in of one word."""
        return self.name.partition(" ")[2]

    @property
    def model(self) -> type[BaseModel]:
        """The model that validates the arguments."""
        return self.form.model

    @property
    def family(self) -> str:
        """The rate-limit bucket: all writes of a noun together, all reads together."""
        return f"{self.noun}:{'read' if self.is_read else 'write'}"

    @property
    def dangers(self) -> str:
        """How dangerous it is, for people."""
        if self.keeps_line:
            return f"{self.danger.value} (risky with a risky line)"
        flags = ", ".join(f"--{each}" for each in self.bulk)
        return f"{self.danger.value} (risky with {flags})" if flags else self.danger

    @property
    def is_read(self) -> bool:
        """Whether running it changes nothing."""
        return self.danger is Danger.READ

    @property
    def is_work(self) -> bool:
        """Whether workers call it over and over, which is counted by itself."""
        return self.scope == WORK_SCOPE

    @property
    def tells_secret(self) -> bool:
        """Whether its answer may not be given where messages are kept.

        An open command has no other door: what it tells is short-lived, and told in
        private.
        """
        return bool(self.hides) and not self.is_open

    def parameter(self, name: str) -> Parameter | None:
        """Find a parameter by its name."""
        return next((each for each in self.parameters if each.name == name), None)


def command(
    name: str,
    *,
    scope: str = "",
    danger: Danger | str = Danger.READ,
    http: str = "",
    paths: Sequence[str] = (),
    examples: Sequence[str] = (),
    **traits: Any,
) -> Callable[[Handler], Command]:
    """Declare the function below as a command.

    Shape:  the function takes a Context, then its arguments; those before `*` may be
            given by position, the rest are flags. An `async def` handler gets an
            AsyncContext, runs for at most 45 s before its answer is stored, and may
            run again when the message comes again. `http` is "METHOD /path", `paths`
            are further spellings of it, with another method if they name one. `traits`
            are other fields of Command:
            status, if_match, target, fingerprint, result, assurance, is_open, ….
    Raises: TypeError when the function cannot be a command.
    """

    def declare(handler: Handler) -> Command:
        doc = inspect.getdoc(handler) or ""
        if not doc:
            raise TypeError(f"{name}: a command needs a docstring")
        level = Danger(danger)
        is_async = inspect.iscoroutinefunction(handler)
        if is_async and level not in (Danger.READ, Danger.WRITE):
            raise TypeError(f"{name}: nobody can confirm what runs ahead of its unit")
        parameters = parameters_of(handler)
        return Command(
            name=name,
            handler=by_plain_names(handler),
            scope=scope,
            danger=level,
            summary=doc.partition("\n")[0],
            doc=doc,
            examples=tuple(examples),
            routes=tuple(_routes(http, paths)),
            parameters=parameters,
            ref_names=[each.name for each in parameters if each.kind is Kind.REF],
            form=Form(name, parameters),
            is_async=is_async,
            **{"status": 200, "if_match": "", "target": "", **traits},
        )

    return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Why what could be asked cannot be asked now, and the line that shows more.

    Shape:  `routes` are the REST paths that it had.
    """

    why: str
    fix: str
    routes: Sequence[Route] = ()


@dataclass(frozen=True, slots=True)
class _Set:
    """One set of commands, never changed, and what was made of it so far."""

    by_name: Mapping[str, Command] = field(default_factory=dict)
    outages: Mapping[str, Outage] = field(default_factory=dict)
    derived: dict[Callable[..., Any], Any] = field(default_factory=dict)


class Registry:
    """The commands that run here, by name.

    Shape:  a change puts another set in place of the one before, at once: whoever reads
            meanwhile, in whichever thread, sees all of it or nothing.
    """

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set = _Set()

    @classmethod
    def of(
        cls,
        commands: Iterable[Command],
        *,
        outages: Mapping[str, Outage] = MappingProxyType({}),
    ) -> "Registry":
        """Build a registry; two commands or two routes with one name are refused.

        Shape:  `outages` are what the lines that begin so are answered with.
        Raises: ValueError naming both.
        """
        by_name: dict[str, Command] = {}
        routes: dict[Route, str] = {}
        for new in commands:
            if new.name in by_name:
                raise ValueError(f"two commands are named {new.name!r}")
            for route in new.routes:
                if route in routes:
                    raise ValueError(f"{new.name} and {routes[route]} share {route}")
            by_name[new.name] = new
            routes |= dict.fromkeys(new.routes, new.name)
        return cls._with(_Set(by_name, outages))

    @classmethod
    def _with(cls, commands: _Set) -> "Registry":
        registry = cls()
        registry._set = commands
        return registry

    def adopt(self, other: "Registry") -> None:
        """Have another registry's commands, with what was derived from them."""
        self._set = other._set

    def add(self, *new: Command) -> None:
        """Add commands; raises ValueError when a name or a route of theirs is taken."""
        self.adopt(Registry.of((*self, *new), outages=self.outages))

    def remove(self, *names: str) -> None:
        """Take commands out; names that nothing has are passed over."""
        rest = (each for each in self if each.name not in names)
        self.adopt(Registry.of(rest, outages=self.outages))

    def derive(self, build: Callable[["Registry"], Derived]) -> Derived:
        """Return what `build` makes of these commands; made once for each set."""
        now = self._set
        if build not in now.derived:
            # Made of the set that it is kept with, though it is changed meanwhile.
            now.derived[build] = build(self._with(now))
        return cast(Derived, now.derived[build])

    def find(self, name: str) -> Command | None:
        """Find a command by its canonical name."""
        return self._set.by_name.get(name)

    def __iter__(self) -> Iterator[Command]:
        return iter(self._set.by_name.values())

    def __len__(self) -> int:
        return len(self._set.by_name)

    @property
    def names(self) -> Mapping[str, Command]:
        """All commands by canonical name, in the order they were listed."""
        return self._set.by_name

    @property
    def nouns(self) -> Sequence[str]:
        """The first words of all commands, each once."""
        return list(dict.fromkeys(each.noun for each in self))

    @property
    def outages(self) -> Mapping[str, Outage]:
        """What cannot be asked now, by the words that it begins with."""
        return self._set.outages


def _routes(http: str, paths: Sequence[str]) -> Iterator[Route]:
    if not http:
        return
    method = http.partition(" ")[0]
    for each in (http, *paths):
        own, _, path = each.rpartition(" ")
        yield Route(method=own or method, path=path)
