"""The providers that this gateway has, by the names that jobs use."""

from collections.abc import Mapping

from core.providers.model import Provider
from gateway.adapters.providers.mock import MockProvider


def providers() -> Mapping[str, Provider]:
    """List them; the mock is always there."""
    every = (MockProvider(),)
    return {each.name: each for each in every}
