"""The text of HTML mails: what is seen is read, and nothing else."""

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.markup import to_text
from channels.email.quotes import strip
from tests.unit.channels.email.letters import a_mail, lines_of, parsed

HIDING = [
    'style="display:none"',
    'style="DISPLAY : NONE !important"',
    "style='visibility:hidden'",
    'style="font-size:0"',
    'style="color:red;font-size: 0px;line-height:1"',
    'style="font-size:1px"',
    'style="max-height:0;overflow:hidden"',
    'style="width:0px"',
    'style="opacity:0"',
    'style="opacity:0.0"',
    'style="color:#fff"',
    'style="color:#FFFFFF"',
    'style="color:white"',
    'style="color: rgb(254, 254, 254)"',
    'style="background:#000;color:black"',
    'style="color:transparent"',
    'style="color:rgba(0,0,0,0)"',
    'style="text-indent:-9999px"',
    'style="position:absolute;left:-9999px"',
    'style="clip:rect(0 0 0 0)"',
    'style="mso-hide:all"',
    "hidden",
    'bgcolor="#222222" style="color:#222"',
    'class="gone"',
    'id="away"',
]
SHEET = "<style>.seen{color:red} @media x { .gone { display: none } } p#away{font-size:0}</style>"


def commands_of(html: str) -> list[str]:
    return lines_of(parsed(a_mail(html, content_type="text/html; charset=utf-8")))


@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("tag", ["div", "span", "p", "td"])
def test_hidden_text_never_runs(hiding: str, tag: str) -> None:
    """`R-12`."""
    hidden = f"<{tag} {hiding}><b>!task delete T-1</b></{tag}>"
    if tag == "td":
        hidden = f"<table><tr>{hidden}</tr></table>"

    assert commands_of(f"{SHEET}<p>Hello</p>{hidden}") == []
    assert commands_of(f"{SHEET}{hidden}<p>!whoami</p>") == ["!whoami"]
    assert commands_of(f"<font color=white>{hidden}</font>") == []


@pytest.mark.parametrize(
    "html",
    [
        '<p style="font-size:10px;color:#1f1f1f">!whoami</p>',
        '<p style="max-width:600px;line-height:1.0">!whoami</p>',
        '<p style="border-width:0;margin:0;padding:0">!whoami</p>',
        '<table bgcolor="#000000"><tr><td style="color:#ffffff">!whoami</td></tr></table>',
        '<p style="opacity:0.9;height:10px">!whoami</p>',
        '<p style="color:windowtext">!whoami</p>',
    ],
)
def test_text_that_is_seen_runs(html: str) -> None:
    assert commands_of(html) == ["!whoami"]


@pytest.mark.parametrize(
    "html",
    [
        "<!-- !whoami -->",
        "<script>\n!whoami\n</script>",
        "<title>!whoami</title>",
        "<style>!whoami</style>",
        "<template>!whoami</template>",
        '<img alt="!whoami" src="x">',
        '<a title="!whoami">x</a>',
        '<input value="!whoami">',
        "<textarea>!whoami</textarea>",
        "<select><option>!whoami</option></select>",
        "<noscript>!whoami</noscript>",
        "<svg><text>!whoami</text></svg>",
        "<iframe srcdoc='!whoami'></iframe>",
        "<!--[if mso]><p>!whoami</p><![endif]-->",
        "<ul><li>!whoami</li></ul>",
        "<blockquote>!whoami</blockquote>",
    ],
)
def test_what_is_no_text_never_runs(html: str) -> None:
    """`R-12`."""
    assert commands_of(f"{html}<p>Hello</p>") == []
    assert commands_of(f"<p>Hello</p>{html}") == []


# How programs put a quote into HTML; the first of two is where what is quoted goes.
QUOTING = {
    "gmail": '<div class="gmail_quote"><div>Bob wrote:</div><div>{}</div></div>',
    "gmail in outlook": '<div class="x_gmail_quote"><div>{}</div></div>',
    "apple": '<blockquote type="cite"><div>Bob wrote:</div>{}</blockquote>',
    "outlook web": '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b>'
    " Bob</div><div>{}</div>",
    "outlook web again": '<div id="x_divRplyFwdMsg">From: Bob</div><p>{}</p>',
    "outlook desktop": '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt">'
    "<p><b>From:</b> Bob</p></div><p class=MsoNormal>{}</p>",
    "outlook new": '<div id="mail-editor-reference-message-container"><div>{}</div></div>',
    "yahoo": '<div id="yahoo_quoted_7" class="yahoo_quoted"><div>{}</div></div>',
    "proton": '<div class="protonmail_quote">Bob wrote:<br><div>{}</div></div>',
    "thunderbird": '<div class="moz-cite-prefix">Bob wrote:<br></div>'
    '<blockquote type="cite">{}</blockquote>',
    "zoho": '<div class="zmail_extra"><div>{}</div></div>',
    "header": "<p>From: Bob<br>Sent: today<br>To: Ann<br>Subject: x</p><p>{}</p>",
    "title": "<p>-----Original Message-----</p><p>{}</p>",
    "signature": '<div class="gmail_signature">Ann</div>{}',
}


@pytest.mark.parametrize("style", QUOTING)
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.text(max_size=20) | st.sampled_from(["> x", "thanks", ""]), max_size=4),
    st.sampled_from(["<br>", "</p><p>", "</div><div>", "\n<br/>\n"]),
)
def test_quote_in_html_never_runs(style: str, quoted: list[str], between: str) -> None:
    """`R-12`."""
    old = between.join(escape(line) for line in [*quoted, "!task delete T-1"])
    quote = QUOTING[style].format(old)

    assert commands_of(f"<div>!whoami</div><br>{quote}") == ["!whoami"]
    assert commands_of(f"<p>Thank you all.</p>{quote}") == []


def test_lines_stand_as_they_are_seen() -> None:
    html = (
        "<html><body><div>one&nbsp;&amp; <b>t</b>wo<br>three</div>\n<div><br></div>"
        "<div>  four\n  five</div><p>six</p><p>seven</p><pre> a\n  b</pre>"
        "<table><tr><td>x</td><td>y</td></tr></table></body></html>"
    )

    assert to_text(html).strip("\n").split("\n") == [
        "one & two",
        "three",
        "",
        "four five",
        "",
        "six",
        "",
        "seven",
        "",
        " a",
        "  b",
        "",
        "x y",
    ]


def test_quotes_are_told_by_their_depth() -> None:
    html = "a<blockquote>b<blockquote>c</blockquote>d</blockquote>e"

    assert to_text(html).strip().split("\n") == ["a", "> b", ">> c", "> d", "e"]


@settings(deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
    )
)
def test_no_mark_of_a_command_is_changed(words: str) -> None:
    """`R-18`: asterisks, underscores, dots and dashes are no layout here."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert (
        to_text(f"<div>!x 1. {escaped} *a_b* - +</div>") == f"!x 1. {words} *a_b* - +"
    )


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<div>", "</div>", "<p", ">", "<blockquote>", "</blockquote>", "<br>", "x",
             "<span style='display:none'>", "</span>", "<!--", "-->", "&", "<style>",
             "</style>", "<table><td>", "<pre>", "\n", '"', "</html>", "\0", "&#0;"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_broken_html_is_no_fault(pieces: list[str]) -> None:
    strip(to_text("".join(pieces)))
