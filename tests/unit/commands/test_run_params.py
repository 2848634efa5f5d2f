"""Parameters in words: texts that arrive as they were written (row 19)."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Registry
from commands.run_params import parse_params
from commands.run_start import start_commands
from core.kernel.problems import InvalidArgument
from core.runs.model import Step

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,9}", fullmatch=True)


def _anything(_: Step) -> None:
    """Refuse nothing."""


REGISTRY = Registry.of(start_commands(_anything))


def asked(line: str) -> Invocation:
    return parse(line, REGISTRY, now=NOW)


def params_of(line: str) -> dict[str, object]:
    return dict(parse_params(asked(line).args["params"], None))


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("env=prod version=1.9.2", {"env": "prod", "version": "1.9.2"}),
        ('note="a b, c=d"', {"note": "a b, c=d"}),
        ("note='it is \"so\"'", {"note": 'it is "so"'}),
        ("url=https://x.example/?a=b&c=d", {"url": "https://x.example/?a=b&c=d"}),
        ("empty= n=007", {"empty": "", "n": "007"}),
        ("name=Zoë🎉 list=a,b,c", {"name": "Zoë🎉", "list": "a,b,c"}),
        ('json={"a":[1,2]}', {"json": '{"a":[1,2]}'}),
        ("truth=true none=null", {"truth": "true", "none": "null"}),
    ],
)
def test_a_word_is_a_text(words: str, params: dict[str, str]) -> None:
    assert params_of(f"run start deploy {words}") == params


def test_flags_stand_among_the_words() -> None:
    """What has the name of a flag is one; so it is written where names are free."""
    found = asked("run start deploy env=prod --lane A --wait 90s labels=gpu")

    assert found.args["params"] == ("env=prod",)
    assert (found.args["lane"], found.args["labels"]) == ("A", ("gpu",))
    assert found.options.wait is not None
    assert parse_params((), {"lane": "moon"}) == {"lane": "moon"}


@given(name=NAMES | st.sampled_from(["lane", "dry-run", "WAIT"]), value=TEXTS)
def test_the_line_that_is_kept_says_the_same(name: str, value: str) -> None:
    """R-18, M-TSK-08: what the audit has can be run again with the same inputs."""
    args = {"template": "deploy", "params": [f"{name}={value}", "b=1"]}
    call = asked(f'{{"command":"run start","args":{_json(args)}}}')

    again = asked(call.canonical)

    assert again.args["params"] == call.args["params"]


def test_plain_words_are_written_back_as_they_were() -> None:
    """Row 19: what is confirmed reads as what was said."""
    line = "run start deploy env=prod version=1.9.2 --lane A"

    assert asked(line).canonical == line
    assert asked('run start deploy "lane=B"').canonical.endswith('"lane=B"')


@pytest.mark.parametrize(
    "words", [["env"], ["=x"], ["1a=x"], ["a b=c"], ["a=1", "a=2"]]
)
def test_what_is_no_parameter_is_refused_by_name(words: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_params(words, None)

    assert refusal.value.fix
    assert refusal.value.extra["argument"] == "params"


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
