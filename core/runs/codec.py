"""How the parts of a run are written as JSON, in rows and on the wire; pure."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import lru_cache
from typing import cast

import orjson

from core.kernel.jsons import Json, canonical_json
from core.runs.model import Backoff, Progress, ReplyTo, RetryRule, RunError, Step

_KNOWN_RULES = 256


def show_step(step: Step) -> dict[str, Json]:
    """Show a step as JSON; `timeout_ms` in milliseconds."""
    return {
        "name": step.name,
        "uses": step.uses,
        "given": dict(step.given),
        "needs": list(step.needs),
        "env": dict(step.env),
        "secrets": dict(step.secrets),
        "artifacts": list(step.artifacts),
        "timeout_ms": _ms(step.timeout),
        "tries": step.tries,
        "goes_on": step.goes_on,
    }


def parse_step(shown: Mapping[str, Json]) -> Step:
    """Read a step that `show_step` has written."""
    fields = {**shown, "timeout": _span(shown["timeout_ms"])}
    del fields["timeout_ms"]
    return Step(**fields)  # type: ignore[arg-type] # Ours, see above.


def show_rule(rule: RetryRule) -> dict[str, Json]:
    """Show a retry rule as JSON; spans in milliseconds."""
    return {
        "max_attempts": rule.max_attempts,
        "backoff": rule.backoff.value,
        "base_ms": _ms(rule.base),
        "longest_ms": _ms(rule.longest),
        "never": [*sorted(rule.never)],
    }


@lru_cache(_KNOWN_RULES)
def parse_rule(text: str) -> RetryRule:
    """Read a retry rule that `show_rule` has shown; few different ones are in use."""
    shown = orjson.loads(text)
    return RetryRule(
        max_attempts=shown["max_attempts"],
        backoff=Backoff(shown["backoff"]),
        base=_span(shown["base_ms"]),
        longest=_span(shown["longest_ms"]),
        never=frozenset(shown["never"]),
    )


def show_error(error: RunError | None) -> dict[str, Json] | None:
    """Show why a run failed, if it did."""
    return cast(dict[str, Json], asdict(error)) if error else None


def parse_object(text: str) -> dict[str, Json]:
    """Read a JSON object; "" is the empty one."""
    found: dict[str, Json] = orjson.loads(text) if text else {}
    return found


def parse_error(text: str) -> RunError | None:
    """Read an error; "" is none."""
    return RunError(**orjson.loads(text)) if text else None


def parse_progress(text: str) -> Progress:
    """Read how far a run is; "" is nowhere yet."""
    return Progress(**orjson.loads(text)) if text else _NO_PROGRESS


def parse_place(text: str) -> ReplyTo:
    """Read where to reply; "" is nowhere."""
    return ReplyTo(**orjson.loads(text)) if text else _NOWHERE


def render_progress(progress: Progress) -> str:
    """Write how far a run is."""
    return "" if progress == _NO_PROGRESS else render(asdict(progress))


def render_place(place: ReplyTo) -> str:
    """Write where to reply."""
    return "" if place == _NOWHERE else render(asdict(place))


def render(value: object) -> str:
    """Write a value as canonical JSON."""
    return canonical_json(value).decode()


_NO_PROGRESS = Progress()
_NOWHERE = ReplyTo()


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _span(ms: Json) -> timedelta:
    return timedelta(milliseconds=cast(int, ms))
