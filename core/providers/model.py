"""What writes drafts for jobs: what it is asked for and what it gives back; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument

MOCK = "mock"
MOST_DRAFTS = 8
MOST_BODY_CHARS = 100_000
MOST_RESULT_BYTES = 240_000
MOST_PROMPT_CHARS = 100_000
MOST_COST_MICROS = 10**15
BEST_SCORE = 100

_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that a provider may offer to its model; `parameters` is a JSON schema."""

    name: str
    description: str
    kind: str
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is wanted.

    Shape:  `prompt` is complete. `input` is what it was filled with. `count` drafts of
            `format`, which is `md`, `txt` or `json`, are wanted.
    """

    title: str
    prompt: str
    input: Mapping[str, Json] = field(default_factory=dict)
    count: int = 2
    format: str = "md"
    tools: Sequence[Tool] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One text that a provider wrote.

    Units:  `score` is 0 to 100, how good the provider thinks that it is.
    """

    title: str
    body: str
    score: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was read and written, in the provider's tokens."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What a provider gave for a request.

    Units:  `cost_micros` is what all of it costs, in millionths of a dollar.
    """

    provider: str
    model: str
    drafts: Sequence[Draft]
    usage: Usage = field(default_factory=Usage)
    cost_micros: int = 0


class Provider(Protocol):
    """Writes drafts; whoever calls it sets the time limit."""

    @property
    def name(self) -> str:
        """What it is called in settings, variants and bills."""

    async def generate(self, request: Request) -> Generated:
        """Write what is wanted.

        Raises: Unavailable when it cannot be reached or wants to be left alone,
                InvalidArgument when it will never take this request.
        """


def parse_request(given: Mapping[str, Json]) -> Request:
    """Read a request from the input of a step.

    Raises: InvalidArgument naming what does not fit.
    """
    count, prompt = given.get("count", 2), given.get("prompt")
    tools, values = given.get("tools", []), given.get("input", {})
    if not isinstance(prompt, str) or not 0 < len(prompt) <= MOST_PROMPT_CHARS:
        raise _misfit("prompt", f"1 to {MOST_PROMPT_CHARS} characters")
    if type(count) is not int or not 1 <= count <= MOST_DRAFTS:
        raise _misfit("count", f"a number from 1 to {MOST_DRAFTS}")
    if not isinstance(values, Mapping):
        raise _misfit("input", "an object")
    if not isinstance(tools, list):
        raise _misfit("tools", "a list of tools")
    return Request(
        title=str(given.get("title", "")),
        prompt=prompt,
        input=values,
        count=count,
        format=str(given.get("format", "md")),
        tools=[_to_tool(each) for each in tools],
    )


def checked(generated: Generated, request: Request) -> Generated:
    """Return what a provider gave when it is what a job can keep.

    Shape:  more drafts than wanted are dropped, scores are brought into their range,
            and what no database can store is replaced.
    Raises: InvalidArgument when there is no draft, or there is too much of them.
    """
    drafts = [settled(each, request.title) for each in generated.drafts]
    kept = [each for each in drafts[: request.count] if each.body.strip()]
    if not kept:
        raise InvalidArgument(
            f"{generated.provider} wrote nothing", fix=["say more in the prompt"]
        )
    result = Generated(
        provider=generated.provider,
        model=storable(generated.model)[:_TITLE_CHARS],
        drafts=kept,
        usage=generated.usage,
        cost_micros=min(max(0, generated.cost_micros), MOST_COST_MICROS),
    )
    size = len(canonical_json(view(result, request)))
    longest = max(len(each.body) for each in kept)
    if longest > MOST_BODY_CHARS or size > MOST_RESULT_BYTES:
        raise InvalidArgument(
            f"{generated.provider} wrote {size} bytes, {longest} characters in one draft",
            fix=[
                f"ask for at most {MOST_BODY_CHARS} characters a draft",
                "ask for fewer variants",
            ],
        )
    return result


def settled(draft: Draft, title: str) -> Draft:
    """Return a draft as every database can keep it; without a title it has `title`."""
    line = " ".join(storable(draft.title or title).split())
    return Draft(
        title=line[:_TITLE_CHARS] or "Untitled",
        body=storable(draft.body),
        score=min(max(0, draft.score), BEST_SCORE),
    )


def storable(text: str) -> str:
    """Replace what no database keeps: NUL, and halves of characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\0", "\ufffd")


def view(generated: Generated, request: Request) -> dict[str, Json]:
    """Show what was generated as JSON, as a step's result carries it."""
    return {
        "provider": generated.provider,
        "model": generated.model,
        "format": request.format,
        "cost_micros": generated.cost_micros,
        "usage": {
            "input_tokens": generated.usage.input_tokens,
            "output_tokens": generated.usage.output_tokens,
        },
        "drafts": [
            {"title": each.title, "body": each.body, "score": each.score}
            for each in generated.drafts
        ],
    }


def _to_tool(given: Json) -> Tool:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise _misfit("tools", "objects with a name")
    parameters = given.get("parameters", {})
    return Tool(
        name=str(given["name"]),
        description=str(given.get("description", "")),
        kind=str(given.get("kind", "")),
        parameters=parameters if isinstance(parameters, dict) else {},
    )


def _misfit(name: str, wanted: str) -> InvalidArgument:
    return InvalidArgument(
        f"{name} does not fit a request for drafts",
        fix=[f"give {name} as {wanted}"],
        argument=name,
    )
