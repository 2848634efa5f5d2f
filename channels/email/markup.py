"""The text of an HTML mail as its reader sees it: what is hidden stays hidden.

Quotes are told by the elements that mail programs put around them, and come out with a
`>` before each line; above what stands quoted without such an element comes the line
QUOTE_FOLLOWS. No Markdown is made of anything, for that would change commands.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple

import nh3

from channels.email.visible import Look, hidden_names, is_hidden

QUOTE_FOLLOWS = "-----Original Message-----"
SIGNATURE_FOLLOWS = "-- "
HTML_CHARS = 98_304

_MOST_OPEN = 100
_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt",
        "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr",
        "ul",
    }
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})
_INLINE = frozenset(
    {
        "a", "b", "br", "code", "del", "em", "font", "i", "s", "small", "span",
        "strong", "td", "th", "tt", "u",
    }
)  # fmt: skip
_UNREAD = frozenset(
    {
        "script", "style", "title", "template", "noscript", "object", "select", "svg",
        "math", "audio", "video", "textarea", "iframe", "canvas", "noframes",
        "datalist", "dialog",
    }
)  # fmt: skip
_KEPT = {"style", "class", "id", "hidden", "bgcolor", "color", "type"}
_SPACE = re.compile(r"[ \t\r\n\f]+")

_QUOTE = re.compile(
    r"(?:^|[\s_-])quoted?(?:$|[\s_-])|yahoo_quoted|moz-cite-prefix|zmail_extra"
    r"|gmail_(?:quote|extra)|outlook-mobile-reference-message"
    r"|mail-editor-reference-message-container|OutlookMessageHeader",
    re.IGNORECASE,
)
_ABOVE_QUOTE = re.compile(
    r"(?:^|\s)(?:x_)*(?:divRplyFwdMsg|appendonsend|stopSpelling|replySplit"
    r"|ms-outlook-mobile-body-separator-line|isReplyContent|isForwardContent)(?:$|\s)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(?:^|\s)(?:x_)*(?:gmail_signature|moz-signature|protonmail_signature_block\S*"
    r"|ms-outlook-mobile-signature|Signature|AppleMailSignature)(?:$|\s)"
)
_OUTLOOK_LINE = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+#[0-9a-f]{6}", re.IGNORECASE
)


class Open(NamedTuple):
    """An element that is open, and what its end will end."""

    tag: str
    kind: str
    look: Look


def to_text(html: str) -> str:
    """Write HTML as plain text, line by line as it is seen.

    Shape:  the HTML is repaired first, so that reading it takes one pass.
    """
    concealed = hidden_names(html)
    reader = _Reader(concealed)
    reader.feed(
        nh3.clean(
            html,
            tags=set(_BLOCKS | _INLINE),
            clean_content_tags=set(_UNREAD),
            attributes={"*": _KEPT},
            generic_attribute_prefixes=set(),
            link_rel=None,
        )
    )
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Collects the lines that are seen, each with how deeply it is quoted."""

    def __init__(self, concealed: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._concealed = concealed
        self._open: list[Open] = []
        self._lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._quoted = self._hidden = self._pre = 0

    def text(self) -> str:
        """Give what was read."""
        self._break()
        return "\n".join(
            f"{'>' * depth} {line}".rstrip() if depth else line
            for depth, line in self._lines
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._break(tag)
        if tag in ("br", "hr"):
            self._end_line()
            return
        look = self._open[-1].look if self._open else Look()
        kind, look = self._kind(tag, given, look)
        self._begin(kind)
        self._open.append(Open(tag, kind, look))
        if tag == "li":
            self._line.append("- ")

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            ended = self._open.pop()
            if ended.tag in _BLOCKS:
                self._break(ended.tag)
            elif ended.tag in ("td", "th"):
                self._line.append(" ")
            self._end(ended.kind)
            if ended.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._hidden or (self._open and not self._open[-1].look.is_seen):
            return
        if self._pre:
            first, *rest = data.replace("\r\n", "\n").split("\n")
            self._line.append(first)
            for line in rest:
                self._end_line()
                self._line.append(line)
            return
        self._line.append(_SPACE.sub(" ", data))

    def _kind(self, tag: str, given: Mapping[str, str], look: Look) -> tuple[str, Look]:
        """Tell what an element means for the lines inside it."""
        names = f"{given.get('id', '')} {given.get('class', '')}"
        here = look.inside(given)
        if len(self._open) >= _MOST_OPEN or is_hidden(given):
            return "hidden", here
        if not self._concealed.isdisjoint(names.split()):
            return "hidden", here
        if tag == "blockquote" or _QUOTE.search(names):
            return "quote", here
        if _ABOVE_QUOTE.search(names) or _OUTLOOK_LINE.search(given.get("style", "")):
            return "above", here
        if _SIGNATURE.search(names):
            return "signature", here
        return "pre" if tag == "pre" else "", here

    def _begin(self, kind: str) -> None:
        match kind:
            case "hidden":
                self._hidden += 1
            case "pre":
                self._pre += 1
            case "quote":
                self._break()
                self._quoted += 1
            case "above" if not self._hidden:
                self._say(QUOTE_FOLLOWS)
            case "signature" if not self._hidden:
                self._say(SIGNATURE_FOLLOWS)

    def _end(self, kind: str) -> None:
        match kind:
            case "hidden":
                self._hidden -= 1
            case "pre":
                self._pre -= 1
            case "quote":
                self._break()
                self._quoted -= 1

    def _say(self, line: str) -> None:
        self._break()
        self._lines.append((self._quoted, line))

    def _break(self, tag: str = "") -> None:
        """Begin a new line unless one has just begun; paragraphs leave one free."""
        if "".join(self._line).strip():
            self._end_line()
        self._line = []
        if tag in _PARAGRAPHS and self._lines and self._lines[-1][1]:
            self._lines.append((self._quoted, ""))

    def _end_line(self) -> None:
        line = "".join(self._line).replace("\xa0", " ")
        if not self._pre:
            line = re.sub(r" {2,}", " ", line).strip()
        self._lines.append((self._quoted, line))
        self._line = []
