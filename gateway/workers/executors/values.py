"""Puts what a step has in its environment into texts: `Bearer ${DEPLOY_KEY}`."""

import re
from collections.abc import Mapping

from core.runs.model import Step
from gateway.workers.executors.base import StepWork

_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(work: StepWork, text: str) -> str:
    """Put in the step's own variables and secrets, and nothing else of the environment."""
    known = {
        name: work.environment[name]
        for name in (*work.step.env, *work.step.secrets)
        if name in work.environment
    }
    return _put(text, known)


def unknown_names(step: Step, text: str) -> list[str]:
    """List the names in a text that the step does not have."""
    return [
        each for each in _PLACE.findall(text) if each not in {*step.env, *step.secrets}
    ]


def _put(text: str, known: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: known.get(found[1], found[0]), text)
