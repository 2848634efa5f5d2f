"""What a template is: a run written down once, with places for its parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches

from core.kernel.etag import digest, entity_tag
from core.kernel.ids import TemplateId
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument, NotFound
from core.runs.model import RetryRule, Step

COLLECTION = "templates"
KIND = "template"
MOST_TEMPLATES = 200
MOST_TEXT_BYTES = 65_536
MOST_STEPS = 50
MOST_FLAWS = 50
"""How many flaws of one text are told at once."""

_SHOWN = 5
_NONE = TemplateId("")
_ALSO = {"spec-kit": "generate-spec-kit"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that is wrong with a template or a parameter.

    Shape:  `field` is the path to it, such as `steps[1].needs`, "" for the whole; `line`
            counts from 1, 0 where there is none.
    """

    field: str
    text: str
    fix: str
    line: int = 0

    def __str__(self) -> str:
        at = f" (line {self.line})" if self.line else ""
        return f"{self.field or 'template'}{at}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What the text of a template says.

    Shape:  `params` is a JSON schema of an object, draft 2020-12; `steps` and
            `concurrency_key` hold `{{ params.name }}` where values go. `danger` is told
            to whoever starts it, "" when there is nothing to fear. With `needs_approval`
            its runs wait until somebody else than who started them approves.
    Units:  `deadline` and `ttl` count from when a run is made.
    """

    name: str
    description: str = ""
    params: Mapping[str, Json] = field(default_factory=dict)
    lane: Lane = Lane.C
    priority: int = 0
    labels: frozenset[str] = frozenset()
    concurrency_key: str = ""
    concurrency_limit: int = 1
    retry: RetryRule = field(default_factory=RetryRule)
    deadline: timedelta | None = None
    ttl: timedelta | None = None
    needs_approval: bool = False
    danger: str = ""
    steps: Sequence[Step] = ()

    @property
    def properties(self) -> Mapping[str, Json]:
        """The schemas of the parameters by their names."""
        found = self.params.get("properties", {})
        return found if isinstance(found, dict) else {}

    @property
    def required(self) -> Sequence[str]:
        """The parameters that have to be given."""
        found = self.params.get("required", [])
        return [str(each) for each in found] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One edition of a template; a built-in one has no id and edition 0.

    Shape:  `text` is the YAML that was given, and `definition` what it says.
            `latest` is the newest edition there is.
    """

    id: TemplateId = _NONE
    name: str
    edition: int = 0
    latest: int = 0
    text: str
    author: str = ""
    created_at: datetime | None = None
    definition: Definition

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with the product."""
        return not self.id

    @property
    def etag(self) -> str:
        """The tag that a change of it may ask for."""
        return entity_tag(self.edition, digest(self.text.encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """That a template had a text once: which one it was, whose, and since when."""

    edition: int
    author: str
    created_at: datetime
    text: str


def spelled(reference: str) -> str:
    """Write a name or an id as it is stored: `_` and `-` are one, ids have capitals."""
    name = reference.replace("_", "-")
    return name.upper() if name.lower().startswith("tp-") else _ALSO.get(name, name)


def parse_name(text: str) -> str:
    """Read a template's name, in which `_` and `-` are one.

    Raises: InvalidArgument.
    """
    return require_name(
        "a template", text.replace("_", "-"), such_as="deploy", taken=_ALSO
    )


def unknown(reference: str, known: Iterable[str] = ()) -> NotFound:
    """Say that there is no such template, and which name is nearest."""
    near = nearest(spelled(reference), known)
    fixes = [f"template show {near}"] if near else []
    return NotFound(
        f"the template {reference[:40]}",
        fix=[*fixes, "template list"],
        field="template",
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Find the known word that was probably meant; "" when none is alike."""
    found = get_close_matches(word[:64], sorted(known), n=1)
    return found[0] if found else ""


def require_flawless(what: str, flaws: Sequence[Flaw]) -> None:
    """Refuse what has flaws, naming all of them.

    Raises: InvalidArgument whose `problems` are all flaws, one line each.
    """
    if not flaws:
        return
    many = f"{len(flaws)} problems" if len(flaws) > 1 else "a problem"
    told = "; ".join(str(each) for each in flaws[:_SHOWN])
    more = "; …" if len(flaws) > _SHOWN else ""
    raise InvalidArgument(
        f"{what} has {many}: {told}{more}",
        fix=list(dict.fromkeys(each.fix for each in flaws if each.fix))[:_SHOWN],
        field=flaws[0].field,
        problems=[f"{each} (fix: {each.fix})" for each in flaws],
    )
