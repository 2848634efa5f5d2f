"""Reply mails of many programs and languages: only what was written anew remains."""

import pytest

from tests.unit.channels.email.letters import (
    EXPECTED,
    REPLIES,
    lines_of,
    parsed,
    stored,
)

NAMES = sorted(EXPECTED)


def tidy(text: str) -> str:
    """Leave out spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def raw_of(name: str) -> bytes:
    return (REPLIES / f"{name}.eml").read_bytes()


def test_corpus_is_what_it_claims_to_be() -> None:
    clients = {name.partition("__")[0] for name in NAMES}
    languages = {name.partition("__")[2].partition("_")[0] for name in NAMES}

    assert {path.stem for path in REPLIES.glob("*.eml")} == set(NAMES)
    assert len(NAMES) >= 60
    assert len(clients) >= 10
    assert len(languages) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_new_text_is_all_that_remains(name: str) -> None:
    payload = stored(raw_of(name))

    assert payload["fault"] == ""
    assert tidy(f"{payload['text']}\n\n{payload['below']}") == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_quoted_never_runs(name: str) -> None:
    """`R-12`: every mail has a command in its quote, signature or notice."""
    lines = lines_of(parsed(raw_of(name)))

    assert [line for line in lines if "delete" in line] == []
    expected = EXPECTED[name].split("\n")
    assert set(lines) <= {line for line in expected if line.startswith("!")}


def test_what_was_cut_is_kept_for_the_audit() -> None:
    payload = stored(raw_of("gmail-web__en"))

    assert "> !task delete T-1" in str(payload["cut"])
