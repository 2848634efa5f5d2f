"""Puts the values of parameters into steps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.kernel.jsons import Json
from core.runs.model import Step
from core.runs.templates.placeholders import put_in, written_in


def filled(step: Step, values: Mapping[str, Json]) -> Step:
    """Put values into a step.

    Shape:  each element of `argv`, variable and pattern stays one text, whatever is put
            into it; elsewhere a value that is all there is keeps its type.
    """
    return replace(
        step,
        given={name: _given(name, each, values) for name, each in step.given.items()},
        env={name: written_in(each, values) for name, each in step.env.items()},
        artifacts=_texts(step.artifacts, values),
    )


def _given(name: str, value: Json, values: Mapping[str, Json]) -> Json:
    if name == "argv" and isinstance(value, list):
        return list[Json](_texts([str(each) for each in value], values))
    return put_in(value, values)


def _texts(texts: Sequence[str], values: Mapping[str, Json]) -> Sequence[str]:
    return tuple(written_in(each, values) for each in texts)
