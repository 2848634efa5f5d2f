"""The headers of a delivery, and how much of them a proof may rest on; pure."""

from collections.abc import Iterable, Iterator, Mapping

from core.kernel.problems import Unauthenticated


class ProvingHeaders(Mapping[str, str]):
    """Headers as a scheme reads them: one that came several times proves nothing.

    Shape:  names in lower case. Whether one of two signatures is good depends on who
            reads them, so neither counts; reading such a header raises Unauthenticated.
    """

    def __init__(self, values: Mapping[str, str], repeated: frozenset[str]) -> None:
        self._values = values
        self._repeated = repeated

    def __getitem__(self, name: str) -> str:
        """Read one header.

        Raises: KeyError; Unauthenticated when it came several times.
        """
        if name in self._repeated:
            raise Unauthenticated(
                f"the header {name} came several times", fix=["send it once"]
            )
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Read headers by name, as they are kept; those that come several times are joined."""
    named: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        named[name] = f"{named[name]}, {value}" if name in named else value
    return named


def parse_proving(raw: Iterable[tuple[bytes, bytes]]) -> ProvingHeaders:
    """Read headers by name, as a proof looks at them."""
    pairs = list(raw)
    names = [name for name, _ in pairs]
    repeated = frozenset(
        each.decode("latin-1") for each in set(names) if names.count(each) > 1
    )
    return ProvingHeaders(parse_headers(pairs), repeated)
