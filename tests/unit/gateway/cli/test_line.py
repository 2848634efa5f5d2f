"""What a shell hands over arrives at the parser as the same words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.tokens import Form, Token, tokenise
from core.kernel.problems import InvalidArgument
from gateway.cli.line import quote, split_options, to_line


def word_of(token: Token) -> str:
    """Give back the word that a token was before the line was written."""
    if token.form is Form.FLAG:
        return token.key
    return f"{token.key}={token.text}" if token.key else token.text


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from([
    "--dod", "-o", "--if-match=3f9", "env=a b", "=", "a=", "--x=\"", '{"a": 1}', "{a", "[1]",
    "don't", "\u201cq\u201d", "T-12", "#3", "@ann", "-5", "--", "a=[1, 2]", "\u2014lane",
])  # fmt: skip


@pytest.mark.parametrize(("words", "line"), [
    (["task", "create", "Fix login", "--dod", "tests,docs"],
     'task create "Fix login" --dod tests,docs'),
    (["run", "start", "deploy", "env=prod", "note=two words"],
     'run start deploy env=prod note="two words"'),
    (["task", "create", 'say "hi" \\ now'], 'task create "say \\"hi\\" \\\\ now"'),
    (["task", "set", "T-12", "--title=New name"], 'task set T-12 --title="New name"'),
    (["task", "create", "--", "--not-a-flag"], 'task create "--not-a-flag"'),
    (["api", '{"a": [1, 2]}'], 'api {"a": [1, 2]}'),
    (["task", "create", ""], 'task create ""'),
    (["task", "list", "#3", "@ann"], "task list #3 @ann"),
    (["x", "--filter", "severity=='page'"], "x --filter \"severity=='page'\""),
])  # fmt: skip
def test_words_become_a_line(words: list[str], line: str) -> None:
    assert to_line(words) == line


@settings(deadline=None, max_examples=500)
@given(st.lists(WORDS.filter(lambda word: word != "--"), max_size=6))
def test_line_reads_back_as_the_same_words(words: list[str]) -> None:
    scan = tokenise(to_line(words))

    assert scan.fault is None
    assert [word_of(token) for token in scan.tokens] == words


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_after_two_dashes_everything_is_text(word: str) -> None:
    (token,) = tokenise(to_line(["--", word])).tokens

    assert word_of(token) == word
    assert token.form in (Form.WORD, Form.QUOTED)
    assert quote(word) == to_line(["--", word])


def test_own_options_are_taken_out() -> None:
    asked = split_options(
        [
            "task",
            "list",
            "-o",
            "csv",
            "--fields=id,title",
            "--query",
            "items[]",
            "--yes",
        ]
    )

    assert asked.line == "task list"
    assert (asked.output, asked.fields, asked.query) == (
        "csv",
        ["id", "title"],
        "items[]",
    )
    assert asked.is_yes


def test_own_options_after_two_dashes_are_words() -> None:
    assert split_options(["task", "create", "--", "-o"]).line == 'task create "-o"'


def test_option_without_its_value_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        split_options(["task", "list", "-o"])
