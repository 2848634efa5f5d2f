"""What a command of a plugin has to be before anybody can ask for it."""

import re
from collections.abc import Iterator
from inspect import Parameter, signature
from itertools import chain

from commands.builtins import describe
from commands.catalog import catalog_of
from commands.names import PLAIN_WORDS, index_of
from commands.registry import Command, Danger, Registry, Route
from commands.words import id_in
from gateway.http.openapi import operation
from gateway.plugins.model import PluginFault

PATHS = "/v1/"

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*( [a-z][a-z0-9]*(-[a-z0-9]+)*){0,2}")
_SCOPE = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z][a-z0-9_]{0,39}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PATH_NAME = re.compile(r"{(\w+)}")
_NONE = Parameter("none", Parameter.POSITIONAL_ONLY)
# What an argument is, and the context is not.
_VALUES = (str, int, float, bool, "str", "int", "float", "bool")
# The language has a meaning for these already.
RESERVED = frozenset({"plan", "ops", *PLAIN_WORDS})


def check_command(command: Command) -> None:
    """Make sure that a command can be asked for, shown and described at every door.

    Raises: PluginFault saying what is wrong; whatever describing it raises.
    """
    routes = (_route_faults(command, each) for each in command.routes)
    for fault in chain(_faults(command), _handler_faults(command), *routes):
        raise PluginFault(f"{command.name!r}: {fault}")
    _rehearse(command)


def target_fault(command: Command) -> str:
    """Say why nobody could confirm a command by naming its object; "" for nothing."""
    target = command.parameter(command.target)
    if command.target and target is None:
        return f"target='{command.target}' is none of its arguments"
    if command.danger is not Danger.DESTRUCTIVE:
        return ""
    if target is None:
        return (
            "it is destructive, so its object has to be typed once more; write "
            'target="name", an argument of it'
        )
    if target.is_list or not (target.is_required or target.default):
        return f"it is destructive, so its target '{target.name}' may not be left out"
    return ""


def _faults(command: Command) -> Iterator[str]:
    words = command.name.split()
    if not _NAME.fullmatch(command.name) or any(map(id_in, words)):
        yield "a name is one to three words of small letters, such as 'hello say'"
    if words[0] in RESERVED:
        yield f"no command of a plugin begins with '{words[0]}'"
    if command.is_open:
        yield "is_open would run it for strangers, which plugins may not"
    if not command.scope:
        yield f'it has no scope; write scope="{words[0].replace("-", "_")}:read"'
    if command.scope and not _SCOPE.fullmatch(command.scope):
        yield f"'{command.scope}' is no scope; write family:verb, such as hello:read"
    if fault := target_fault(command):
        yield fault


def _handler_faults(command: Command) -> Iterator[str]:
    """Find what Python would only say once somebody asks."""
    context, *rest = [*signature(command.handler).parameters.values()] or [_NONE]
    if context is _NONE:
        yield "its function takes no context; write (ctx) behind its name"
    elif context.default is not Parameter.empty or context.annotation in _VALUES:
        yield f"the context comes first; write (ctx, {context.name}, …)"
    for each in rest:
        if each.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            yield f"'{each}' is no argument; name each one"


def _route_faults(command: Command, route: Route) -> Iterator[str]:
    shown = f"{route.method} {route.path}"
    if route.method not in _METHODS:
        yield f"'{shown}' has none of the methods {', '.join(_METHODS)}"
    if not route.path.startswith(PATHS):
        yield f"'{shown}' does not begin with {PATHS}"
    if route.method == "GET" and not command.is_read:
        yield f"'{shown}' would change something, and GET never does"
    rest = _PATH_NAME.sub("", route.path)
    if "{" in rest or "}" in rest:
        yield f"'{shown}' may have whole names in braces only, such as {{name}}"
    for name in _PATH_NAME.findall(route.path):
        parameter = command.parameter(name)
        if parameter is None:
            yield f"'{shown}' names '{name}', which is no argument"
        elif parameter.is_list:
            yield f"'{shown}' names '{name}', which is a list"


def _rehearse(command: Command) -> None:
    """Have everything made of a command that the doors make of it."""
    alone = Registry.of([command])
    index_of(alone)
    catalog_of(alone)
    describe(command)
    for route in command.routes:
        operation(command, route)
