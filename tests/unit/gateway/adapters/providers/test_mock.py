"""The mock provider: the same each time, honest about what it is, and never too much."""

import pytest

from core.kernel.jsons import Json, canonical_json
from core.providers.model import (
    MOST_DRAFTS,
    MOST_PROMPT_CHARS,
    MOST_RESULT_BYTES,
    Request,
    Tool,
    checked,
    view,
)
from gateway.adapters.providers.mock import MockProvider

REQUEST = Request(
    title="Release notes",
    prompt="Write release notes.",
    input={"version": "1.2", "highlights": ["fast", "small"], "flags": {"a": 1}},
    count=3,
    tools=[Tool(name="search-docs", description="Searches", kind="function")],
)


async def test_equal_requests_give_equal_drafts() -> None:
    first, again = [await MockProvider().generate(REQUEST) for _ in range(2)]

    assert first == again
    assert len({each.body for each in first.drafts}) == 3
    assert first.cost_micros == 0
    assert first.usage.input_tokens == 5


@pytest.mark.parametrize("kind", ["md", "txt", "json"])
async def test_every_draft_says_that_no_model_wrote_it(kind: str) -> None:
    request = Request(title="T", prompt="P", format=kind, count=MOST_DRAFTS)

    generated = await MockProvider().generate(request)

    assert len(generated.drafts) == MOST_DRAFTS
    assert all("mock provider" in each.body for each in generated.drafts)


async def test_what_was_asked_is_in_the_draft() -> None:
    draft = (await MockProvider().generate(REQUEST)).drafts[0]

    for part in ("# Release notes", "> Write release notes.", "- fast", "search-docs"):
        assert part in draft.body
    assert 60 <= draft.score <= 100


@pytest.mark.parametrize("character", ["x", "\n", "\x01", '"', "\N{GRINNING FACE}"])
async def test_as_much_as_may_be_asked_for_fits(character: str) -> None:
    """What escapes grow to counts, for that is what is stored."""
    values: dict[str, Json] = {
        "news": list[Json]([character * 100] * 300),
        "text": character * 3_000,
    }
    request = Request(
        title="T",
        prompt=character * MOST_PROMPT_CHARS,
        input=values,
        count=MOST_DRAFTS,
    )

    generated = checked(await MockProvider().generate(request), request)

    assert len(generated.drafts) == MOST_DRAFTS
    assert len(canonical_json(view(generated, request))) <= MOST_RESULT_BYTES
