"""The shapes of what template commands answer."""

from typing import Any

from typing_extensions import TypedDict

StepData = TypedDict(
    "StepData",
    {
        "name": str,
        "uses": str,
        "with": dict[str, Any],
        "needs": list[str],
        "env": dict[str, str],
        "secrets": dict[str, str],
        "artifacts": list[str],
        "timeout_s": float,
        "tries": int,
        "continue_on_error": bool,
    },
)
"""A step; of a template it still has the places of parameters."""


class ConcurrencyData(TypedDict):
    """Of the runs that share a key at most `limit` are held at a time."""

    key: str
    limit: int


class RetryData(TypedDict):
    """When a failed run is tried again."""

    max_attempts: int
    backoff: str
    base_s: float
    longest_s: float
    never: list[str]


class FlawData(TypedDict):
    """One thing that is wrong; `line` is 0 where there is none."""

    field: str
    line: int
    problem: str
    fix: str


class TemplateData(TypedDict):
    """A template; `edition` is 0 and `id` empty for one that is built in.

    `params` is a JSON schema. `problems` says why no run can be made of it any more.
    """

    id: str
    name: str
    edition: int
    latest: int
    is_built_in: bool
    description: str
    params: dict[str, Any]
    lane: str
    priority: int
    labels: list[str]
    concurrency: ConcurrencyData
    retry: RetryData
    deadline_s: float | None
    ttl_s: float | None
    danger: str
    steps: list[StepData]
    text: str
    author: str
    created_at: str | None
    problems: list[FlawData]
    etag: str


class TemplatePageData(TypedDict):
    """All templates by name; there is no further page."""

    items: list[TemplateData]
    next: str | None


class EditionData(TypedDict):
    """One text that a template had."""

    edition: int
    author: str
    created_at: str
    text: str


class EditionPageData(TypedDict):
    """The last hundred editions, the newest first."""

    items: list[EditionData]
    next: str | None


class TemplateDiffData(TypedDict):
    """What changed between two editions, as a unified diff; "" for nothing."""

    name: str
    before: int
    after: int
    diff: str


class TemplateTrialData(TypedDict):
    """What a template would become with these parameters, and what is wrong.

    `steps` is as they would run, in that order; empty when a problem keeps them from it.
    """

    name: str
    edition: int
    is_valid: bool
    params: dict[str, Any]
    problems: list[FlawData]
    lane: str
    priority: int
    labels: list[str]
    concurrency: ConcurrencyData
    danger: str
    steps: list[StepData]
