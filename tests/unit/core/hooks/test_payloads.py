"""From the text of a delivery to what expressions look at."""

from contextlib import suppress
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.hooks.payloads import (
    parse_payload,
    with_surroundings,
    without_surroundings,
)
from core.kernel.jsons import Json
from core.kernel.problems import InvalidJson, UnsupportedMedia

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("content_type", ["", FORM, "application/json", "text/xml"])
@pytest.mark.parametrize("body", ["", " \n"])
def test_empty_body_is_an_empty_object(body: str, content_type: str) -> None:
    assert parse_payload(body, content_type) == {}


@pytest.mark.parametrize(
    "content_type", ["", "application/json; charset=utf-8", FORM, "text/xml", "x"]
)
def test_json_is_read_whatever_it_calls_itself(content_type: str) -> None:
    """`curl -d` says it is a form."""
    assert parse_payload('{"a": [1]}', content_type) == {"a": [1]}


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ("a=1&b=x+y%26z", {"a": "1", "b": "x y&z"}),
        ("a=&b=", {"a": "", "b": ""}),
        ("a=1&a=2&b=3", {"a": ["1", "2"], "b": "3"}),
        ("payload=" + quote('{"a": {"b": 1}}'), {"a": {"b": 1}}),
        ("payload=" + quote("[1, 2]"), [1, 2]),
        ("payload=plain", "plain"),
        ("payload=" + quote('{"a": 1}') + "&b=2", {"payload": {"a": 1}, "b": "2"}),
        ("text=caf%C3%A9", {"text": "café"}),
    ],
)
def test_form_is_an_object_of_texts(body: str, payload: Json) -> None:
    """A lone field named payload is what Slack's buttons and old GitHub hooks send."""
    assert parse_payload(body, f"{FORM}; charset=utf-8") == payload


@pytest.mark.parametrize(
    "body",
    ["just text", "a=%FF", "payload={", "&".join(f"f{n}=1" for n in range(1_001))],
)
def test_form_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(InvalidJson):
        parse_payload(body, FORM)


def test_form_of_too_many_fields_is_told_how_many() -> None:
    body = "&".join(f"f{number}=1" for number in range(100_000))

    with pytest.raises(InvalidJson, match="has 100000 fields, and at most 1000 are"):
        parse_payload(body, FORM)


@pytest.mark.parametrize("content_type", ["application/json", FORM])
def test_what_is_nested_too_deeply_is_told_so(content_type: str) -> None:
    """R-56: also when JSON is sent as curl -d sends it."""
    body = '{"t": ' + "[" * 10_000 + "]" * 10_000 + "}"

    with pytest.raises(InvalidJson, match="nested more than 1024 deep at line 1"):
        parse_payload(body, content_type)


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
def test_text_that_should_be_json_is_refused_with_the_place(content_type: str) -> None:
    with pytest.raises(InvalidJson, match="line 1"):
        parse_payload("{a", content_type)


@pytest.mark.parametrize("content_type", ["application/xml", "multipart/form-data"])
def test_other_kinds_of_body_are_named(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia, match=content_type):
        parse_payload("<a/>", content_type)


@given(st.text(), st.sampled_from(["", FORM, "application/json", "text/xml"]))
def test_any_text_is_read_or_refused(body: str, content_type: str) -> None:
    """`R-56`."""
    with suppress(InvalidJson, UnsupportedMedia):
        parse_payload(body, content_type)


@given(
    st.dictionaries(
        st.text(
            st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9
        ).filter(lambda name: name != "payload"),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_form_comes_out_as_it_went_in(fields: dict[str, str]) -> None:
    body = urlencode(fields)

    found = parse_payload(body, FORM)

    assert found == fields


def test_headers_and_query_stand_beside_the_payloads_own_keys() -> None:
    around = with_surroundings(
        {"a": 1, "_headers": "theirs"}, headers={"x-event": "push"}, query={"env": "p"}
    )

    assert around == {"a": 1, "_headers": {"x-event": "push"}, "_query": {"env": "p"}}
    assert without_surroundings(around) == {"a": 1}


@pytest.mark.parametrize("payload", [[1], "text", None, 1])
def test_payload_that_is_no_object_stays_alone(payload: Json) -> None:
    around = with_surroundings(payload, headers={"x": "y"}, query={})

    assert around == payload == without_surroundings(payload)
