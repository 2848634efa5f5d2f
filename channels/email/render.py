"""A reply as a mail: its text, its HTML, its JSON, and what is long as files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from channels.email import hypertext, plain
from channels.email.lines import marked
from channels.email.plain import MOST_CODE_LINES, MOST_ROWS
from channels.email.subjects import OBJECT_ID
from channels.terminal.formats import format_data
from core.kernel.jsons import Json, to_json
from core.kernel.reply import Code, Reply, Table
from core.kernel.sanitise import sanitise_reply


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """A reply rendered for mail, before anybody knows to whom it goes.

    Shape:  `subject` is one line without `Re:`; `about` is the id of the one object
            that the reply shows, "" when there is none.
    """

    subject: str
    text: str
    html: str
    json: str
    about: str = ""
    attachments: tuple[File, ...] = ()


def render(reply: Reply, *, address: str = "") -> Mailing:
    """Render a reply; with an `address` to write to, HTML has a link for each action."""
    reply = sanitise_reply(reply)
    return Mailing(
        subject=reply.summary,
        text="\n".join(_harmless(line) for line in _lines(reply)) + "\n",
        html=hypertext.lay_out(reply, address=address),
        json=to_json(reply).decode(),
        about=_object_of(reply),
        attachments=(*_tables(reply), *_codes(reply)),
    )


def _lines(reply: Reply) -> Iterator[str]:
    for line in plain.lay_out(reply):
        yield from line.split("\n")


def _harmless(line: str) -> str:
    """Indent a line that would be a command if somebody quoted it without a mark."""
    return f"    {line}" if marked(line) else line


def _object_of(reply: Reply) -> str:
    found = reply.data.get("id")
    return found if isinstance(found, str) and OBJECT_ID.fullmatch(found) else ""


def _tables(reply: Reply) -> Iterator[File]:
    """Write tables that are too long to read as CSV, which no spreadsheet executes."""
    long = [
        block
        for block in reply.blocks
        if isinstance(block, Table) and len(block.rows) > MOST_ROWS
    ]
    for number, table in enumerate(long, 1):
        rows: list[Json] = [_row(table, row) for row in table.rows]
        yield File(
            name=f"table-{number}.csv",
            media_type="text/csv",
            content=format_data({"data": {"items": rows}}, "csv").encode(),
        )


def _codes(reply: Reply) -> Iterator[File]:
    """Add code that is too long to read in place."""
    long = [
        block.text
        for block in reply.blocks
        if isinstance(block, Code) and block.text.count("\n") >= MOST_CODE_LINES
    ]
    for number, text in enumerate(long, 1):
        yield File(
            name=f"code-{number}.txt", media_type="text/plain", content=text.encode()
        )


def _row(table: Table, row: Sequence[str]) -> dict[str, Json]:
    return dict(zip(table.columns, row, strict=False))
