"""The provider without a model behind it: what it writes is plain, and the same each time.

It has jobs work without an account and without cost. Every draft of it says that no
model wrote it, so that nobody takes one for what it is not.
"""

from collections.abc import Mapping
from hashlib import sha256

from core.kernel.jsons import Json, canonical_json
from core.providers.model import MOCK, Draft, Generated, Request, Usage

MODEL = "mock-1"

_NOTICE = (
    "Written by the mock provider: no language model was asked, and nothing was paid."
)
_STYLES = (
    "brief",
    "detailed",
    "formal",
    "friendly",
    "bulleted",
    "annotated",
    "plain",
    "technical",
)
_CHARACTERS_A_TOKEN = 4
_WORST_SCORE, _SCORES = 60, 40
_MOST_SHOWN = 4_000
_MOST_BYTES = 24_000


class MockProvider:
    """Lays out what it was asked in as many ways as are wanted; it never fails."""

    name = MOCK

    async def generate(self, request: Request) -> Generated:
        """Write the drafts; equal requests give equal ones."""
        styles = _STYLES[: request.count]
        drafts = [_draft(request, style) for style in styles]
        return Generated(
            provider=self.name,
            model=MODEL,
            drafts=drafts,
            usage=Usage(
                input_tokens=_tokens(request.prompt),
                output_tokens=sum(_tokens(each.body) for each in drafts),
            ),
        )


def _draft(request: Request, style: str) -> Draft:
    write = {"json": _as_json, "txt": _as_text}.get(request.format, _as_markdown)
    return Draft(
        title=f"{request.title}, {style}",
        body=_fitting(write(request, style)),
        score=_score(request, style),
    )


def _fitting(body: str) -> str:
    """Shorten a text so that as many as may be asked for fit into one result."""
    while (size := len(canonical_json(body))) > _MOST_BYTES:
        body = body[: len(body) * _MOST_BYTES // size]
    return body


def _score(request: Request, style: str) -> int:
    """Score by the content alone, so that the order is always the same."""
    seed = sha256(f"{style}\n{request.title}\n{request.prompt}".encode()).digest()
    return _WORST_SCORE + seed[0] % _SCORES


def _as_markdown(request: Request, style: str) -> str:
    parts = [
        f"# {request.title}",
        f"> {_NOTICE}",
        f"This is the {style} variant.",
        *_sections(request.input),
        "## What was asked",
        _quoted(request.prompt),
    ]
    if request.tools:
        named = "\n".join(
            f"- {each.name}: {each.description}" for each in request.tools
        )
        parts += ["## Tools that a model could use", named]
    return "\n\n".join(parts) + "\n"


def _sections(values: Mapping[str, Json]) -> list[str]:
    """Show each value of the input under its own heading."""
    sections = []
    for name in sorted(values):
        words = name.replace("_", " ").replace("-", " ")
        sections += [f"## {words.capitalize()}", _shown(values[name])]
    return sections


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return "\n".join(f"- {_line(each)}" for each in value) or "Nothing."
    return value[:_MOST_SHOWN] if isinstance(value, str) else f"`{_line(value)}`"


def _line(value: Json) -> str:
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return " ".join(text.split())[:_MOST_SHOWN]


def _quoted(prompt: str) -> str:
    lines = prompt[:_MOST_SHOWN].splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _as_text(request: Request, style: str) -> str:
    return (
        f"{request.title}\n\n{_NOTICE}\nThis is the {style} variant.\n\n"
        f"{request.prompt[:_MOST_SHOWN]}\n"
    )


def _as_json(request: Request, style: str) -> str:
    told = {
        "title": request.title,
        "style": style,
        "notice": _NOTICE,
        "input": dict(request.input),
        "prompt": request.prompt[:_MOST_SHOWN],
    }
    return canonical_json(told).decode()


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS_A_TOKEN)
