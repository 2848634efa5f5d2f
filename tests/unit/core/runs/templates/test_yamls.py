"""YAML of templates: bounded, plain, and never anything but a value or a flaw."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.jsons import Json
from core.runs.templates import yamls
from core.runs.templates.model import MOST_TEXT_BYTES
from core.runs.templates.yamls import Flawed

JUNK = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="ab:- \n[]{},&*!|>'\"%#?\t0", max_size=300),
    st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"),
        max_size=20,
    ),
    lambda each: (
        st.lists(each, max_size=4)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=6), each, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("0777", "0777"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-21", "2026-11-21"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("1.9.2", "1.9.2"),
        ('"7"', "7"),
        ("'true'", "true"),
        ("1" * 30, "1" * 30),
        ("<<", "<<"),
    ],
)
def test_plain_words_mean_what_they_mean_in_json(written: str, value: Json) -> None:
    """M-RUN-12."""
    assert yamls.load(f"a: {written}").value == {"a": value}


def test_lines_of_fields_are_known() -> None:
    lines = yamls.load("a: 1\nb:\n  - c: 2\n  - d: 3\n").lines

    assert (lines["a"], lines["b[0].c"], lines["b[1].d"]) == (1, 3, 4)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 0, "empty"),
        ("# only a remark", 0, "empty"),
        ("a: [1, }", 1, "no YAML"),
        ("a: 1\nb: 'x", 2, "no YAML"),
        ("a: 1\n b: 2", 2, "no YAML"),
        ("a: &x [1]\nb: *x", 2, "alias"),
        ("a: 1\nb: 2\na: 3", 3, "stands twice"),
        ("a: !!python/object:os.system {}", 1, "tag"),
        ("a: !!binary aGk=", 1, "tag"),
        ("? [1]\n: 2", 1, "key is no text"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 1\nb: \x01", 2, "character"),
        ('a: "\\0"', 1, "character"),
        ('a: "\\ud800"', 1, "character"),
        ('a: "\\UFFFFFFFF"', 1, "character"),
        ("%YAML " + "9" * 5_000 + ".1\n---\na", 1, "it "),
        ("[" * 60_000, 1, "nested"),
        ("- " * 30_000, 1, "nested"),
        ("{a: " * 15_000, 1, "nested"),
        ("a: " + "x" * MOST_TEXT_BYTES, 0, "64 KiB"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(
    text: str, line: int, said: str
) -> None:
    """M-RUN-12: broken YAML is named by its line, and bombs are not unpacked."""
    with pytest.raises(Flawed) as refused:
        yamls.load(text)

    flaw = refused.value.flaw
    assert flaw.line == line
    assert said in flaw.text
    assert flaw.fix


@given(JUNK)
def test_junk_is_a_value_or_a_flaw(text: str) -> None:
    """R-19: nothing else comes out, whatever goes in."""
    with suppress(Flawed):
        yamls.load(text)


@given(VALUES)
def test_what_is_written_is_read_again(value: Json) -> None:
    assert yamls.load(yamls.dump({"a": value})).value == {"a": value}
