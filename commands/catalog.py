"""From the registry to the catalog: commands as forms, dialogs and type-ahead see them."""

from enum import Enum

from commands.help import usage
from commands.registry import Command, Registry
from commands.schema import Kind, Parameter
from core.kernel.catalog import ASKING, Blank, Catalog, Entry, Input
from core.kernel.jsons import Json

_INPUTS = {
    Kind.INTEGER: Input.INTEGER,
    Kind.NUMBER: Input.NUMBER,
    Kind.FLAG: Input.FLAG,
    Kind.CHOICE: Input.CHOICE,
    Kind.TIME: Input.TIME,
    Kind.OBJECT: Input.JSON,
}
_EXAMPLES = {Kind.DURATION: "15m, 2h or 3d", Kind.PERSON: "me or a name"}
# What it takes to speak as a worker; no person fills in a form for that.
_OF_MACHINES = "runs:work"
_REASON = Blank(name="reason", input=Input.TEXT, help="Why; it stands in the audit.")


def catalog_of(registry: Registry) -> Catalog:
    """Describe the commands of a registry; made once for each set of them."""
    return registry.derive(_catalog)


def _catalog(registry: Registry) -> Catalog:
    return Catalog(_entry(each) for each in registry)


def _entry(command: Command) -> Entry:
    danger = command.danger.value
    blanks = [_blank(each) for each in command.parameters if not each.is_secret]
    if danger in ASKING and command.parameter("reason") is None:
        blanks.append(_REASON)
    has_secret = any(each.is_secret and each.is_required for each in command.parameters)
    return Entry(
        name=command.name,
        summary=command.summary,
        usage=usage(command),
        danger=danger,
        blanks=tuple(blanks),
        is_offered=not (
            command.is_macro or has_secret or command.scope == _OF_MACHINES
        ),
    )


def _blank(parameter: Parameter) -> Blank:
    return Blank(
        name=parameter.name,
        input=_INPUTS.get(parameter.kind, Input.TEXT),
        is_required=parameter.is_required,
        is_list=parameter.is_list,
        choices=tuple(parameter.choices),
        default=_default(parameter),
        example=_example(parameter),
        help=parameter.doc,
    )


def _default(parameter: Parameter) -> Json:
    """Return a default that a form can show; empty ones are shown as nothing."""
    value = parameter.default
    if isinstance(value, Enum):
        value = value.value
    is_shown = isinstance(value, bool | int | float | str) and value != ""
    return value if is_shown else None


def _example(parameter: Parameter) -> str:
    if parameter.kind is Kind.REF and parameter.prefix:
        return f"{parameter.prefix}-12"
    return _EXAMPLES.get(parameter.kind, "")
