"""Reads what a step gives to its executor, and says what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeVar

from commands.suggest import nearest
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.runs.model import Step

Number = TypeVar("Number", int, float)


class Given:
    """The input of one step.

    Raises: InvalidArgument that names the field, here and in all that it does.
    """

    def __init__(self, step: Step, known: Sequence[str]) -> None:
        self._step = step
        for name in step.given:
            if name not in known:
                near = nearest(name, known)
                self.refuse(
                    name,
                    f"{step.uses} has no {name[:40]!r}",
                    fix=[f"did you mean {near[0]}?"] if near else [],
                    otherwise=f"it has: {', '.join(known) or 'nothing'}",
                )

    def has(self, name: str) -> bool:
        """Tell whether a field is given."""
        return self._step.given.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Read a text."""
        value = self._step.given.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            self.refuse(name, f"{name} is a text")
        return value

    def needed(self, name: str, *, such_as: str) -> str:
        """Read a text that has to be there."""
        value = self.text(name).strip()
        if not value:
            self.refuse(name, f"{self._step.uses} needs {name}", fix=[such_as])
        return value

    def texts(self, name: str, default: Sequence[str] = ()) -> Sequence[str]:
        """Read a list of texts; a single one counts as a list."""
        value = self._step.given.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            self.refuse(name, f"{name} is a list of texts")
        return [self._text(name, each) for each in value]

    def choice(self, name: str, among: Sequence[str], default: str = "") -> str:
        """Read one of some words."""
        value = self.text(name, default)
        if value not in among:
            near = nearest(value, among)
            self.refuse(
                name,
                f"{name} cannot be {value[:40]!r}",
                fix=[f"did you mean {near[0]}?"] if near else [],
                otherwise=f"use one of: {', '.join(each for each in among if each)}",
            )
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Read true or false."""
        value = self._step.given.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, f"{name} is true or false")
        return value

    def number(
        self, name: str, default: Number, *, least: Number, most: Number
    ) -> Number:
        """Read a number within bounds."""
        value = self._step.given.get(name)
        if value is None:
            return default
        kind = (int, float) if isinstance(default, float) else int
        if isinstance(value, bool) or not isinstance(value, kind):
            self.refuse(name, f"{name} is a number")
        if not least <= value <= most:
            self.refuse(name, f"{name} is from {least} to {most}")
        return type(default)(value)

    def texts_by_name(self, name: str) -> Mapping[str, str]:
        """Read names with a text each."""
        value = self._step.given.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(name, f"{name} is a mapping of names to texts")
        return {each: self._text(f"{name}.{each}", one) for each, one in value.items()}

    def json(self, name: str) -> Json:
        """Read a field as it stands."""
        return self._step.given.get(name)

    def refuse(
        self, field: str, why: str, *, fix: Sequence[str] = (), otherwise: str = ""
    ) -> NoReturn:
        """Say that a field cannot be what it is.

        Raises: InvalidArgument.
        """
        helps = [*fix, *([otherwise] if otherwise else [])]
        raise InvalidArgument(
            f"step {self._step.name}: {why}",
            fix=helps or [f"correct {field[:40]} in step {self._step.name}"],
            argument=field[:100],
        )

    def _text(self, name: str, value: Json) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse(name, f"{name} holds what is no text")
        return str(value)
