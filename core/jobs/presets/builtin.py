"""The presets that come with Opswire."""

from collections.abc import Mapping

from core.jobs.model import Format
from core.jobs.presets.model import Preset

_CHANGELOG = """Write the changelog entry "{{ title }}" for {{ input.project }}.

Since: {{ input.since }}
Changes:
{{ input.changes }}

Sort them under Added, Changed, Fixed and Security, leave out empty headings, and write
each line for people who use it, not for those who wrote it. Invent nothing.
{{ description }}
"""

_RELEASE_NOTES = """Write release notes, "{{ title }}", for version {{ input.version }}.

For: {{ input.audience }}
What is new:
{{ input.highlights }}
What must be done when upgrading: {{ input.upgrade }}

Begin with the one thing that matters most, in two sentences. Invent nothing.
{{ description }}
"""

_LINT = """Review the text or code below, "{{ title }}", as a strict and kind colleague.

Rules: {{ input.rules }}

List each finding with the place, the rule, and the line as it should be. Say "nothing
found" when that is so.

{{ input.content }}
{{ description }}
"""

PRESETS: Mapping[str, Preset] = {
    each.name: each
    for each in (
        Preset(
            name="changelog",
            description="A changelog entry from a list of changes.",
            prompt=_CHANGELOG,
            input={
                "project": "this project",
                "since": "the last release",
                "changes": [],
            },
            is_builtin=True,
        ),
        Preset(
            name="lint",
            description="Findings in a text or in code, each with its correction.",
            prompt=_LINT,
            input={"rules": "clear, short, correct", "content": ""},
            variants=1,
            is_builtin=True,
        ),
        Preset(
            name="release-notes",
            description="Release notes for the people who use a version.",
            prompt=_RELEASE_NOTES,
            input={
                "version": "next",
                "audience": "users and operators",
                "highlights": [],
                "upgrade": "nothing",
            },
            variants=3,
            format=Format.MD,
            is_builtin=True,
        ),
    )
}
