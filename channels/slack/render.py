"""A Reply as one Slack message: a text that is read aloud, and blocks that are shown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import assert_never

from channels.slack import prose, tables
from channels.slack.blocks import (
    CONTEXT_CHARS,
    SECTION_CHARS,
    KitBlock,
    context,
    cut,
    fields,
    is_too_long,
    link,
    section,
    size_of,
)
from channels.slack.buttons import Buttons
from channels.slack.code import as_code
from channels.slack.escapes import escape
from core.kernel.catalog import Catalog
from core.kernel.jsons import Json
from core.kernel.reply import (
    Actions,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Progress,
    Reply,
    ReplyStatus,
    Table,
    Text,
)

MESSAGE_CHARS = 12_500
_BODY_CHARS = 9_000
_BODY_BLOCKS = 40
_BAR_CELLS = 20
_FIX_LINES = 10

_Shown = Text | Fields | Table | Code | Progress | Link | ErrorBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a workspace can show, and what the commands behind buttons are.

    `is_classic` workspaces refuse `markdown` and `table` blocks.
    """

    is_classic: bool = False
    catalog: Catalog = field(default_factory=Catalog)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """What is sent: `text` is the notification and what screen readers say."""

    text: str
    blocks: list[KitBlock]
    is_ephemeral: bool = False


def render(
    reply: Reply, *, place: Mapping[str, Json], profile: Profile
) -> SlackMessage:
    """Write a sanitised reply as one message.

    Shape:  at most 50 blocks and 12,500 characters; what is too long for that is
            named and linked, never cut silently. Nothing in it pings anybody.
    """
    summary = cut(reply.summary, SECTION_CHARS - 100, least="Done")
    message = _Message(reply, profile)
    return SlackMessage(
        text=escape(summary),
        blocks=message.assemble(summary),
        is_ephemeral=_is_ephemeral(reply, place, profile),
    )


def shown_blocks(reply: Reply, profile: Profile) -> list[KitBlock]:
    """Show a reply as part of a page: its summary and body, and no buttons."""
    return _Message(reply, profile).body(cut(reply.summary, 1_000, least="Done"))


def _is_ephemeral(reply: Reply, place: Mapping[str, Json], profile: Profile) -> bool:
    """Tell whether only the person who asked sees it: never so where two people talk.

    Whoever addressed the message has said so; else looks and refusals are private.
    """
    channel, private = str(place.get("channel") or ""), place.get("private")
    if channel.startswith(("D", "U", "W")):
        return False
    if isinstance(private, bool):
        return private
    entry = profile.catalog.of_line(reply.command)
    return bool(reply.error) or (entry is not None and entry.is_read)


class _Message:
    """The blocks of one message while they are put together."""

    def __init__(self, reply: Reply, profile: Profile) -> None:
        self._reply = reply
        self._profile = profile
        self._is_table_free = not profile.is_classic

    def assemble(self, summary: str) -> list[KitBlock]:
        """Put heading, body and buttons together, as far as they fit."""
        blocks = self.body(summary)
        buttons = Buttons(reply=self._reply, catalog=self._profile.catalog)
        rows, is_whole = buttons.rows(room=MESSAGE_CHARS - size_of(blocks))
        return [*blocks, *rows, *([] if is_whole else [self._rest()])]

    def body(self, summary: str) -> list[KitBlock]:
        """Put heading and body together; say so when that is not all of it."""
        head = [] if self._tells_its_error() else [section(escape(summary))]
        shown = (
            self._blocks(block)
            for block in self._reply.blocks
            if not isinstance(block, Actions)
        )
        kept, is_whole = _fitting(chain.from_iterable(shown))
        return head + kept + ([] if is_whole else [self._rest()])

    def _tells_its_error(self) -> bool:
        """Whether an error block says what the summary would only repeat."""
        return self._reply.status is ReplyStatus.ERROR and any(
            isinstance(block, ErrorBlock) for block in self._reply.blocks
        )

    def _blocks(self, block: _Shown) -> Iterator[KitBlock]:
        match block:
            case Text():
                yield from self._text(block.md)
            case Fields():
                yield from self._fields(block)
            case Table():
                yield from self._table(block)
            case Code():
                yield from as_code(block.text, more=self._more())
            case Progress():
                yield section(_progress(block))
            case Link():
                yield from self._link(block)
            case ErrorBlock():
                yield from self._error(block)
            case _:
                assert_never(block)

    def _text(self, md: str) -> list[KitBlock]:
        is_classic = self._profile.is_classic
        return prose.as_mrkdwn(md) if is_classic else prose.as_markdown(md)

    def _fields(self, block: Fields) -> Iterator[KitBlock]:
        yield from fields(block.pairs)
        if any(is_too_long(value) for _, value in block.pairs):
            yield self._rest()

    def _table(self, table: Table) -> Iterator[KitBlock]:
        if not table.rows:
            return
        is_numbered = tables.names_rows(table, self._reply.data.get("items"))
        rows = tables.rows_of(table, is_numbered=is_numbered)
        if self._is_table_free and tables.fits(rows):
            self._is_table_free = False  # Slack takes one of them in a message.
            yield tables.as_table(rows)
        else:
            yield from tables.as_monospace(rows)
        if said := tables.counted(table):
            is_short = len(table.rows) <= tables.ROWS_SHOWN
            yield context(said if is_short else f"{said}{self._more()}")

    def _link(self, block: Link) -> Iterator[KitBlock]:
        if said := link(block.label, self._absolute(block.url)).strip():
            yield context(said)

    def _error(self, error: ErrorBlock) -> Iterator[KitBlock]:
        title = escape(cut(error.title, 300, least="Error"))
        detail = escape(cut(error.detail, 2_000))
        yield section(f"*{title}*\n{detail}".rstrip())
        tries = [f"• {self._try(line)}" for line in error.fix[:_FIX_LINES]]
        if tries:
            yield section("\n".join(["*Try*", *tries]))

    def _try(self, line: str) -> str:
        """Show a line to send as one, and advice as prose."""
        shown = escape(cut(line, 250, least="–"))
        is_command = self._profile.catalog.of_line(line) is not None
        return f"`{shown.replace('`', '')}`" if is_command else shown

    def _rest(self) -> KitBlock:
        return context(f"This is not all of it: too long for Slack.{self._more()}")

    def _more(self) -> str:
        """Point to where everything is."""
        if self._reply.url.startswith(("https://", "http://")):
            return f" {link('Show all', self._reply.url)}"
        return f" `reply show {escape(self._reply.id)}`" if self._reply.id else ""

    def _absolute(self, url: str) -> str:
        """Complete an address on this gateway, as that of the reply is."""
        home = self._reply.url.partition("/r/")[0]
        return f"{home}{url}" if url.startswith("/") and home else url


def _progress(progress: Progress) -> str:
    total = max(progress.total, 1)
    done = min(max(progress.done, 0), total)
    filled = _BAR_CELLS * done // total
    bar = "█" * filled + "░" * (_BAR_CELLS - filled)
    step = escape(cut(progress.steps[-1], CONTEXT_CHARS)) if progress.steps else ""
    return f"`{bar}` {progress.done}/{progress.total}  {step}".rstrip()


def _fitting(body: Iterable[KitBlock]) -> tuple[list[KitBlock], bool]:
    """Keep what fits of the body, in its order; tell whether that is all of it."""
    kept: list[KitBlock] = []
    is_whole = True
    for block in body:
        is_room = size_of(kept) + size_of([block]) <= _BODY_CHARS
        if is_room and len(kept) < _BODY_BLOCKS:
            kept.append(block)
        else:
            is_whole = False
    return kept, is_whole
