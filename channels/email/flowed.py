"""format=flowed: lines that a mail program broke are put together again (RFC 3676)."""

from collections.abc import Iterator

_SIGNATURE = "-- "


def unflow(text: str, *, delsp: bool = False) -> str:
    """Join the lines that end in a space with the one below, at equal quote depth.

    Shape:  `delsp` means that the space at the end is not part of the text.
    """
    return "\n".join(_joined(text, delsp=delsp))


def _joined(text: str, *, delsp: bool) -> Iterator[str]:
    flowing: list[str] = []
    depth = 0
    for line in text.split("\n"):
        here, content = _parted(line)
        if flowing and (here != depth or content == _SIGNATURE):
            yield _quoted("".join(flowing), depth)
            flowing = []
        depth = here
        if content.endswith(" ") and content != _SIGNATURE:
            flowing.append(content[:-1] if delsp else content)
            continue
        yield _quoted("".join([*flowing, content]), depth)
        flowing = []
    if flowing:
        yield _quoted("".join(flowing), depth)


def _parted(line: str) -> tuple[int, str]:
    """Part a line in how deeply it is quoted, and its content."""
    content = line.lstrip(">")
    return len(line) - len(content), content.removeprefix(" ")


def _quoted(content: str, depth: int) -> str:
    return f"{'>' * depth} {content}" if depth else content
