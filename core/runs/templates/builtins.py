"""The templates that come with the product; a team's own of the same name wins."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from core.runs.templates.model import Template
from core.runs.templates.reading import parse

_FOLDER = "core.runs.templates.library"


@cache
def built_in() -> Mapping[str, Template]:
    """Read all of them, by name, when one is first asked for."""
    files = resources.files(_FOLDER).iterdir()
    texts = [each.read_text("utf-8") for each in files if each.name.endswith(".yaml")]
    found = [_template(text) for text in texts]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _template(text: str) -> Template:
    definition = parse(text)
    return Template(name=definition.name, text=text, definition=definition)
