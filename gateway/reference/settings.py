"""What can be set, as a page and as an example of an environment file."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.settings import Settings

_PREFIX = "OPSWIRE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingEntry:
    """One setting: its variable, what it is unless set, and what it is for."""

    variable: str
    default: str
    description: str


def setting_entries() -> list[SettingEntry]:
    """List all settings in the order in which they are declared."""
    return list(_entries(Settings, _PREFIX))


def render_environment() -> str:
    """Write an environment file in which everything is as it is unless set."""
    parts = ["# Copy to .env and change what you need; `ops docs` writes this file.\n"]
    parts += [
        f"\n# {each.description}\n# {each.variable}={each.default}\n"
        for each in setting_entries()
    ]
    return "".join(parts)


def _entries(model: type[BaseModel], prefix: str) -> Iterator[SettingEntry]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _entries(kind, f"{prefix}{name.upper()}__")
        else:
            yield SettingEntry(
                variable=_variable(name, field, prefix),
                default=_shown(field.default),
                description=field.description or "",
            )


def _variable(name: str, field: FieldInfo, prefix: str) -> str:
    if isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[0])
    return f"{prefix}{name.upper()}"


def _shown(default: object) -> str:
    if isinstance(default, SecretStr):
        return ""
    return "[]" if default == () else str(default)
