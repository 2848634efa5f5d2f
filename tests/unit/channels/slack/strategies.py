"""Replies of every shape and size, with all that people put into them."""

from hypothesis import strategies as st

from core.kernel.catalog import Blank, Catalog, Entry, Input
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
)

_SPICE = [
    "<!channel>",
    "<!here|x>",
    "<@U0ANN>",
    "<#C0OPS|ops>",
    "<https://evil.example|bank>",
    "```",
    "`",
    "&lt;!channel&gt;",
    "&",
    "|",
    "**bold**",
    "[label](https://x.example/?a=1&b=<c>)",
    "https://x.example/<!here>?a|b",
    "\n",
    "- ",
    "# ",
    "~~~",
    "\u2060",
    "漢字",
    "😀",
]
_ALPHABET = st.characters(exclude_categories=["Cs", "Cc"])
WORDS = st.lists(
    st.sampled_from(_SPICE) | st.text(_ALPHABET, max_size=20), max_size=8
).map("".join)
LONG = st.builds(
    lambda text, times: text * times, WORDS, st.sampled_from([1, 2, 40, 400])
)
LINES = st.builds(
    lambda text, times: "\n".join([text] * times), WORDS, st.sampled_from([1, 99, 250])
)
LINE = WORDS.map(lambda text: " ".join(text.split()))

_COMMANDS = st.sampled_from(
    ["task show T-1", "task claim T-1", "lease reclaim L-1", "webhook delete W-1", ""]
)
_ACTIONS = st.builds(
    Action,
    label=LONG,
    command=_COMMANDS | LINE,
    style=st.sampled_from(["", "primary", "danger", "odd"]),
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(0, 25))
    cell = draw(st.sampled_from(["", "x", "<!channel>", "ab " * 300]))
    some = draw(st.lists(LONG, max_size=3))
    row = ([*some, *[cell] * width])[:width]
    rows = [row] * draw(st.integers(0, 130))
    return Table(
        columns=[f"c{number}" for number in range(width)],
        rows=rows,
        total=draw(st.none() | st.integers(0, 500)),
        next=draw(st.none() | st.just("cursor")),
    )


BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, md=LONG | LINES),
    st.builds(Fields, pairs=st.lists(st.tuples(LINE, LONG), max_size=25)),
    tables(),
    st.builds(Code, text=LINES | LONG),
    st.builds(
        Progress,
        done=st.integers(-3, 300),
        total=st.integers(-3, 300),
        steps=st.lists(LONG, max_size=2),
    ),
    st.builds(
        Link,
        label=LONG,
        url=LONG
        | st.sampled_from(["https://x.example/a|b", "/docs#x", "javascript:alert(1)"]),
    ),
    st.builds(ErrorBlock, title=LINE, detail=LONG, fix=st.lists(LONG, max_size=15)),
    st.builds(Actions, items=st.lists(_ACTIONS, max_size=60)),
)
_ERRORS = st.builds(
    ErrorInfo,
    type=st.just("t"),
    code=st.sampled_from(["unknown_command", "conflict"]),
    title=LINE,
    detail=LINE,
    status=st.just(409),
    extra=st.fixed_dictionaries({"suggestions": st.lists(LONG, max_size=6)}),
)
_DATA: st.SearchStrategy[dict[str, Json]] = st.sampled_from(
    [
        {},
        {"items": [{"id": "T-1"}]},
        {
            "token": "",
            "target": "W-1",
            "confirm": "webhook delete W-1 --confirm W-1",
        },
    ]
)
REPLIES = st.builds(
    Reply,
    id=st.sampled_from(["", "rp_01JC8ZQ4T70000000000000000"]),
    status=st.sampled_from(ReplyStatus),
    command=_COMMANDS,
    summary=LINE.map(lambda text: text[:150]),
    url=st.sampled_from(["", "https://ops.example.org/r/rp_01JC8ZQ4T7"]),
    blocks=st.lists(BLOCKS, max_size=6),
    data=_DATA,
    undo=st.none() | st.just(Undo(command="task set T-1", until="2026-11-04")),
    error=st.none() | _ERRORS,
)


def an_entry(name: str, danger: str, *blanks: Blank) -> Entry:
    return Entry(
        name=name,
        summary=f"Do the {name}.",
        usage=f"{name} <what>",
        danger=danger,
        blanks=blanks,
    )


CATALOG = Catalog(
    (
        an_entry("task list", "read"),
        an_entry("task show", "read", Blank(name="task", input=Input.TEXT)),
        an_entry("task claim", "write"),
        an_entry("lease reclaim", "risky"),
        an_entry("webhook delete", "destructive"),
    )
)
