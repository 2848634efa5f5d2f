"""A reply as HTML for mail: text escaped or rendered without HTML, and then cleaned."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import assert_never
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt

from channels.email.plain import MOST_CODE_LINES, MOST_ROWS, as_line, beside
from channels.email.quotes import REPLY_ABOVE
from core.kernel.reply import (
    Action,
    Actions,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Progress,
    Reply,
    Table,
    Text,
)

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")
_MARKDOWN_CHARS = 20_000  # of longer texts the author meant no layout
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "small", "strong", "table", "tbody", "td", "th", "thead",
    "tr", "ul",
}  # fmt: skip
# Layout by attributes, for mail programs drop style sheets.
_ATTRIBUTES = {"a": {"href"}, "table": {"cellpadding"}, "th": {"align", "scope"}}
_SCHEMES = {"https", "http", "mailto"}


def lay_out(reply: Reply, *, address: str) -> str:
    """Write a sanitised reply as one HTML document."""
    body = "\n".join(_parts(reply, address))
    clean = nh3.clean(
        body,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(reply.summary)}</title></head>\n<body>\n{clean}\n</body></html>\n"
    )


def _parts(reply: Reply, address: str) -> Iterator[str]:
    yield f"<p><strong>{escape(reply.summary)}</strong></p>"
    yield f"<p><small>{escape(REPLY_ABOVE)}</small></p>"
    for block in reply.blocks:
        match block:
            case ErrorBlock():
                yield from _error(block, reply)
            case Actions():
                yield from _actions(block.items, reply, address)
            case _:
                yield from _block(block)
    if reply.undo:
        line = _line(reply.undo.command, reply, address)
        until = escape(reply.undo.until)
        yield f"<p>To take it back until {until}, reply with {line}</p>"
    if reply.url:
        yield f"<p>{_link(reply.url, reply.url)}</p>"


def _block(block: Text | Fields | Table | Code | Progress | Link) -> Iterator[str]:
    match block:
        case Text():
            yield _markdown(block.md)
        case Fields():
            yield from _fields(block.pairs)
        case Table():
            yield from _table(block)
        case Code():
            yield from _code(block.text.split("\n"))
        case Progress():
            step = f": {block.steps[-1]}" if block.steps else ""
            yield f"<p>{block.done} of {block.total}{escape(step)}</p>"
        case Link():
            yield f"<p>{_link(block.url, block.label or block.url)}</p>"
        case _:
            assert_never(block)


def _markdown(text: str) -> str:
    if len(text) > _MARKDOWN_CHARS:
        return f"<pre>{escape(text)}</pre>"
    return str(_MARKDOWN.render(text))


def _fields(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield '<table cellpadding="4"><tbody>'
    for name, value in pairs:
        shown = escape(value).replace("\n", "<br>")
        yield f'<tr><th align="left" scope="row">{escape(name)}</th><td>{shown}</td></tr>'
    yield "</tbody></table>"


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    heads = "".join(
        f'<th align="left" scope="col">{escape(each)}</th>' for each in table.columns
    )
    yield f'<table cellpadding="4"><thead><tr>{heads}</tr></thead><tbody>'
    for row in table.rows[:MOST_ROWS]:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"
    if len(table.rows) > MOST_ROWS:
        yield f"<p>{beside(MOST_ROWS, len(table.rows), 'rows')}</p>"


def _code(lines: Sequence[str]) -> Iterator[str]:
    shown = "\n".join(lines[:MOST_CODE_LINES])
    yield f"<pre>{escape(shown)}</pre>"
    if len(lines) > MOST_CODE_LINES:
        yield f"<p>{beside(MOST_CODE_LINES, len(lines), 'lines')}</p>"


def _error(error: ErrorBlock, reply: Reply) -> Iterator[str]:
    known = reply.error
    status = f" {known.status}" if known and known.title == error.title else ""
    yield f"<p><strong>ERROR{status} {escape(error.title)}</strong></p>"
    yield f"<p>{escape(error.detail)}</p>"
    if error.fix:
        tries = "".join(
            f"<li>try: <code>{escape(each)}</code></li>" for each in error.fix
        )
        yield f"<ul>{tries}</ul>"


def _actions(items: Sequence[Action], reply: Reply, address: str) -> Iterator[str]:
    shown = [each for each in items if each.command]
    if shown:
        yield "<p>Reply with one of these lines:</p><ul>"
        for each in shown:
            line = _line(each.command, reply, address)
            yield f"<li>{line} {escape(each.label)}</li>"
        yield "</ul>"


def _line(command: str, reply: Reply, address: str) -> str:
    """Write a command to reply with; a link opens a mail in which it stands already."""
    line = as_line(command)
    code = f"<code>{escape(line)}</code>"
    if not address:
        return code
    subject, body = quote(f"Re: {reply.summary}"), quote(line)
    href = f"mailto:{quote(address, safe='@+.')}?subject={subject}&body={body}"
    return f'<a href="{escape(href)}">{code}</a>'


def _link(url: str, label: str) -> str:
    """Link to the web; what is no address of it is shown as it is."""
    if not url.startswith(("https://", "http://")):
        return escape(label if label == url else f"{label}: {url}")
    return f'<a href="{escape(url)}">{escape(label)}</a>'
