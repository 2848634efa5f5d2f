"""Imports a plugin as it lies in the folder, under a name that nothing else has."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from commands.registry import Command
from core.kernel.ids import random_token
from gateway.plugins.folder import Source
from gateway.plugins.model import PluginFault


class Imported(NamedTuple):
    """The commands of a plugin, the module that they live in, and the code's digest."""

    commands: Sequence[Command]
    module: str
    edition: str


def import_plugin(source: Source, check: Callable[[Command], None]) -> Imported:
    """Import a plugin, find its commands and check each.

    Raises: whatever its code or the check raises; PluginFault when it has no commands.
            Nothing of it stays loaded then.
    """
    name = f"opswire_plugin_{source.name}_{random_token()}"
    is_whole = False
    edition = digest_of(source)
    try:
        with _found_here(name):
            module = _run(name, source)
        commands = commands_in(module)
        for each in commands:
            check(each)
        is_whole = True
    finally:
        if not is_whole:
            forget(name)
    return Imported(commands, name, edition)


def digest_of(source: Source) -> str:
    """Digest the code of a plugin: the same again gives the same."""
    root = source.path.parent
    files = sorted(root.rglob("*.py")) if source.is_package else [source.path]
    digest = sha256()
    for each in files:
        digest.update(f"{each.relative_to(root)}\0".encode())
        digest.update(sha256(each.read_bytes()).digest())
    return digest.hexdigest()[:16]


def forget(name: str) -> None:
    """Unload the modules of a plugin; functions that run keep what they need."""
    for each in [*sys.modules]:
        if name and (each == name or each.startswith(f"{name}.")):
            sys.modules.pop(each, None)


def commands_in(module: ModuleType) -> Sequence[Command]:
    """List what `COMMANDS` names, or else every command that the module made itself.

    Raises: PluginFault when there is none.
    """
    listed = getattr(module, "COMMANDS", None)
    if listed is None:
        made = [each for each in vars(module).values() if _is_own(each, module)]
        listed = list({id(each): each for each in made}.values())
    return checked_commands(listed, where="COMMANDS")


def checked_commands(listed: object, *, where: str) -> Sequence[Command]:
    """Make sure that a list holds commands, at least one.

    Raises: PluginFault naming what is no command.
    """
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise PluginFault(f"{where} is a {type(listed).__name__}, not a list")
    for each in listed:
        if not isinstance(each, Command):
            raise PluginFault(f"{where} holds {each!r}, which is no command")
    if not listed:
        raise PluginFault("it declares no command; put @command above a function")
    return tuple(listed)


def _is_own(value: object, module: ModuleType) -> bool:
    """Tell whether a value is a command made here, rather than imported from others."""
    if not isinstance(value, Command):
        return False
    home = str(getattr(value.handler, "__module__", ""))
    return home == module.__name__ or home.startswith(f"{module.__name__}.")


def _run(name: str, source: Source) -> ModuleType:
    spec = _spec(name, source.path, is_package=source.is_package)
    module = module_from_spec(spec)
    sys.modules[name] = module
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module


def _spec(name: str, path: Path, *, is_package: bool) -> ModuleSpec:
    spec = spec_from_file_location(
        name,
        path,
        loader=_AsItIsNow(name, str(path)),
        submodule_search_locations=[str(path.parent)] if is_package else None,
    )
    assert spec is not None
    return spec


class _AsItIsNow(SourceFileLoader):
    """Reads the source each time: bytecode of the same second would pass for it."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class _Finder(MetaPathFinder):
    """Finds the modules of one package, past the caches of the usual finder."""

    def __init__(self, name: str) -> None:
        self._prefix = f"{name}."

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not fullname.startswith(self._prefix):
            return None
        stem = fullname.rpartition(".")[2]
        for folder in map(Path, path or ()):
            main = folder / stem / "__init__.py"
            if main.is_file():
                return _spec(fullname, main, is_package=True)
            if (file := folder / f"{stem}.py").is_file():
                return _spec(fullname, file, is_package=False)
        return None


@contextmanager
def _found_here(name: str) -> Iterator[None]:
    finder = _Finder(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
