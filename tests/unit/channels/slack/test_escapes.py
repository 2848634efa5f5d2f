"""What Slack does to typed text is undone; what we show cannot ping."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.slack.escapes import escape, unescape

TYPED = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("&<>|;@#!\"'\n `"),
    max_size=200,
)
_BARE_URL = re.compile(r"https?://[^\s<>&|]+")


def as_slack_sends(typed: str) -> str:
    """Do to a text what Slack does: escape it, and make links of addresses."""
    return _BARE_URL.sub(lambda found: f"<{found[0]}>", escape(typed))


@given(TYPED)
@example("&amp;lt; &lt;!channel&gt; <@U1> |")
@settings(max_examples=2_000, deadline=None)
def test_typed_text_comes_back_as_it_was(typed: str) -> None:
    """R-18: Unicode, quotes, newlines and what looks like an escape itself."""
    assert unescape(escape(typed)) == typed


@given(TYPED, st.sampled_from(["https://x.example/a", "http://ops.example:8080/T-1"]))
@settings(deadline=None)
def test_addresses_come_back_as_they_were(typed: str, address: str) -> None:
    line = f"{typed} {address} {typed}"

    assert unescape(as_slack_sends(line)) == line


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("&amp;lt;", "&lt;"),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("<http://x.example|x.example>", "x.example"),
        ("<https://x.example/deep|the docs>", "the docs"),
        ("<mailto:ann@x.example|ann@x.example>", "ann@x.example"),
        ("<mailto:ann@x.example>", "ann@x.example"),
        ("<tel:+4930123|+49 30 123>", "+49 30 123"),
        ("<@U0ANN>", "@U0ANN"),
        ("<@U0ANN|ann>", "@ann"),
        ("<#C0OPS|ops>", "#ops"),
        ("<#C0OPS|>", "#C0OPS"),
        ("<!channel>", "@channel"),
        ("<!here|here>", "@here"),
        ("<!subteam^S1|@team>", "@team"),
        ("<!date^1762250400^{date}|Monday>", "Monday"),
        ("don't *touch* _this_ ~at~ `all`", "don't *touch* _this_ ~at~ `all`"),
        ('“quoted” --lane=B {"a": [1]}', '“quoted” --lane=B {"a": [1]}'),
        ("<>", "<>"),
        ("<not closed", "<not closed"),
    ],
)
def test_what_slack_made_is_undone(sent: str, typed: str) -> None:
    assert unescape(sent) == typed


@given(TYPED)
@settings(deadline=None)
def test_shown_text_can_neither_ping_nor_link(shown: str) -> None:
    """R-68: a title `<!channel>` is a title."""
    assert not re.search("[<>]", escape(shown))
    assert re.sub("&(amp|lt|gt);", "", escape(shown)).count("&") == 0
