"""A reply as a mail: readable as text, safe as HTML, complete as JSON."""

import csv
import io
import re
from html.parser import HTMLParser

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from channels.email.lines import find_commands
from channels.email.quotes import REPLY_ABOVE, strip
from channels.email.render import Mailing, render
from core.kernel.jsons import Json
from core.kernel.reply import (
    Action,
    Actions,
    Block,
    Code,
    ErrorBlock,
    ErrorInfo,
    Fields,
    Link,
    Progress,
    Reply,
    ReplyStatus,
    Table,
    Text,
    Undo,
    reply_from_json,
)

HELD = ErrorInfo(type="t", code="lease_held", title="Held", detail="d", status=409)


def mailing(*blocks: Block, **data: Json) -> Mailing:
    return render(Reply(id="rp_1", summary="Done", blocks=blocks, data=data))


def text_of(*blocks: Block, **data: Json) -> list[str]:
    """Render blocks and give the lines below the head."""
    return mailing(*blocks, **data).text.rstrip("\n").split("\n")[3:]


def html_of(*blocks: Block) -> str:
    return mailing(*blocks).html.replace("\n", "")


def table_of(count: int, cell: str = "x") -> Table:
    return Table(
        columns=("id", "title"), rows=tuple((str(n), cell) for n in range(count))
    )


def test_summary_comes_first_and_is_the_subject() -> None:
    found = mailing(Text(md="more"))

    assert found.subject == "Done"
    assert found.text.split("\n")[:4] == ["Done", REPLY_ABOVE, "", "more"]
    assert "<title>Done</title>" in found.html


def test_json_is_the_reply() -> None:
    reply = Reply(id="rp_1", summary="Done", blocks=(table_of(2),), data={"id": "T-1"})

    raw = orjson.loads(render(reply).json)

    assert reply_from_json(raw).data == {"id": "T-1"}
    assert raw["summary"] == "Done"


@pytest.mark.parametrize(
    ("data", "about"),
    [({"id": "T-12"}, "T-12"), ({"id": "rp_1"}, ""), ({"id": 7}, ""), ({}, "")],
)
def test_mail_is_about_the_one_object_it_shows(
    data: dict[str, Json], about: str
) -> None:
    assert mailing(**data).about == about


def test_table_is_numbered_when_its_rows_can_be_named() -> None:
    rows = (("T-1", "Fix login"), ("T-2", "a"))
    table = Table(columns=("id", "title"), rows=rows, next="c1")

    assert text_of(table, items=[]) == [
        "#  id   title",
        "-----------------",
        "1  T-1  Fix login",
        "2  T-2  a",
        "There are more; reply with a line that says: more",
    ]
    assert text_of(table)[0] == "id   title"


def test_empty_table_is_nothing() -> None:
    assert text_of(table_of(0)) == []
    assert "<table" not in html_of(table_of(0))


def test_heads_of_tables_say_what_they_head() -> None:
    html = html_of(table_of(1), Fields(pairs=(("id", "T-1"),)))

    assert '<th align="left" scope="col">title</th>' in html
    assert '<th align="left" scope="row">id</th><td>T-1</td>' in html


def test_long_table_is_a_file() -> None:
    found = mailing(table_of(51))

    [file] = found.attachments
    assert (file.name, file.media_type) == ("table-1.csv", "text/csv")
    assert len(list(csv.reader(io.StringIO(file.content.decode())))) == 52
    assert "50 of 51 rows" in found.text
    assert found.html.count("<tr>") == 51
    assert mailing(table_of(50)).attachments == ()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "=\r"])
def test_file_holds_no_formula(start: str) -> None:
    content = mailing(table_of(51, f"{start}cmd()")).attachments[0].content.decode()

    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_fields_are_aligned_and_code_is_indented() -> None:
    lines = text_of(
        Fields(pairs=(("id", "T-1"), ("title", "a\nb"))), Code(text="x:\n  y")
    )

    assert lines == ["id     T-1", "title  a", "       b", "", "    x:", "      y"]


def test_long_code_is_a_file() -> None:
    text = "\n".join(str(number) for number in range(101))

    found = mailing(Code(text=text), Code(text="short"))

    [file] = found.attachments
    assert (file.name, file.media_type) == ("code-1.txt", "text/plain")
    assert file.content.decode() == text
    assert "    99\n100 of 101 lines" in found.text
    assert "99</pre>" in found.html


def test_progress_link_and_error() -> None:
    reply = Reply(
        summary="No",
        status=ReplyStatus.ERROR,
        blocks=(
            Progress(done=1, total=4, steps=("build",)),
            Link(label="Run", url="https://x.org/r"),
            ErrorBlock(title="Held", detail="bob has it", fix=("lease show L-3",)),
        ),
        error=HELD,
    )

    assert render(reply).text.split("\n")[3:-1] == [
        "[#####...............] 1/4  build",
        "",
        "Run:",
        "https://x.org/r",
        "",
        "ERROR 409 Held",
        "bob has it",
        "try: lease show L-3",
    ]
    assert "<strong>ERROR 409 Held</strong>" in render(reply).html


def test_actions_are_lines_to_reply_with() -> None:
    actions = Actions(
        items=(
            Action(label="Confirm", command="confirm 7f3k"),
            Action(label="Nothing", command=""),
        )
    )

    assert text_of(actions) == [
        "Reply with one of these lines:",
        "  * !confirm 7f3k",
        "      Confirm",
    ]


def test_action_in_html_opens_a_mail_that_has_the_line() -> None:
    actions = Actions(items=(Action(label="Go", command='task note T-1 "a&b <c>"'),))
    reply = Reply(summary="A & B", blocks=(actions,))

    html = render(reply, address="ops+r1@example.org").html

    body = "body=%21task%20note%20T-1%20%22a%26b%20%3Cc%3E%22"
    assert (
        f'href="mailto:ops+r1@example.org?subject=Re%3A%20A%20%26%20B&amp;{body}"'
        in html
    )
    assert "mailto" not in render(reply).html


def test_undo_is_offered() -> None:
    reply = Reply(
        summary="Done", undo=Undo(command="undo rp_1", until="2026-11-04T09:10:00Z")
    )

    assert render(reply).text.split("\n")[3:5] == [
        "To take it back until 2026-11-04T09:10:00Z, reply with:",
        "  * !undo rp_1",
    ]


SAFE = {
    "html", "head", "meta", "title", "body", "p", "strong", "small", "em", "code", "pre",
    "a", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "br",
}  # fmt: skip


class Seen(HTMLParser):
    """What a browser makes of HTML: its elements and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](https://evil.example/track.png)",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<iframe src='https://evil.example'></iframe>",
    "</title><script>alert(1)</script>",
    "<!--",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.mark.parametrize("text", EVIL)
def test_html_runs_and_loads_nothing(text: str) -> None:
    """`R-68`."""
    reply = Reply(
        summary=text,
        url=text,
        blocks=(
            Text(md=text),
            Fields(pairs=((text, text),)),
            Table(columns=(text,), rows=((text,),)),
            Code(text=text, lang=text),
            Progress(done=1, total=2, steps=(text,)),
            Link(label=text, url=text),
            ErrorBlock(title=text, detail=text, fix=(text,)),
            Actions(items=(Action(label=text, command=text),)),
        ),
        undo=Undo(command=text, until=text),
    )

    html = render(reply, address="ops@example.org").html

    seen = Seen()
    seen.feed(html)
    assert seen.tags <= SAFE
    assert {name for name, _ in seen.attributes} <= {
        "href",
        "rel",
        "scope",
        "align",
        "cellpadding",
        "lang",
        "charset",
    }
    links = [value for name, value in seen.attributes if name == "href"]
    assert all(link.startswith(("https://", "mailto:ops@")) for link in links)


def test_ping_of_another_channel_is_text_here() -> None:
    assert text_of(Text(md="<!channel> *now*")) == ["<!channel> *now*"]
    assert "&lt;!channel&gt;" in html_of(Text(md="<!channel> *now*"))


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m", "a\u202eb", "a\x00b", "a\x9b31mb", "\x1b]8;;x\x07y"]
)
def test_no_part_obeys_what_a_terminal_obeys(text: str) -> None:
    """`R-68`."""
    found = mailing(Text(md=text), table_of(51, text), Code(text=text))

    for part in (found.text, found.html, found.json, found.subject):
        assert not re.search("[\x00\x1b\x9b\u202e]", part)


TEXTS = st.text(max_size=40) | st.sampled_from(
    ["!task delete T-1", "/task list", "-- ", "> x"]
)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
def test_our_own_mail_never_runs_when_it_comes_back(
    lines: list[str], cell: str
) -> None:
    """`R-12`: not even when a mail program quotes it without any mark."""
    text = "\n".join(lines)
    blocks = (
        Text(md=text),
        Fields(pairs=((cell, text),)),
        Table(columns=("a",), rows=((cell,),)),
        Code(text=text),
        ErrorBlock(title=cell, detail=text, fix=(text,)),
        Actions(items=(Action(label=cell, command="task delete T-1"),)),
    )
    ours = render(Reply(summary="Done", blocks=blocks)).text

    assert find_commands(ours).commands == ()
    assert "delete" not in strip(f"Thanks.\n\n{ours}").text


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_lines_fit_a_mail(first: str, second: str) -> None:
    lines = text_of(
        Table(columns=(first, second), rows=((second, first),)),
        Fields(pairs=((first, second),)),
        ErrorBlock(title=first, detail=second),
    )

    assert all(cell_len(line) <= 76 for line in lines)
