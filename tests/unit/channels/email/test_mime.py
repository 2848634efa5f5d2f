"""The parts of mails, held against what the standard library makes of the same bytes."""

from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.mime import TooComplex, children, leaves, open_mail
from tests.unit.channels.email.letters import a_mail, a_multipart

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0")
    | st.sampled_from("\n-= \t>"),
    max_size=60,
)
LEAVES = st.tuples(
    st.sampled_from(["plain", "html", "octets"]),
    TEXTS,
    st.sampled_from(["base64", "quoted-printable"]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(["mixed", "alternative", "related"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def built(tree: tuple[object, ...]) -> EmailMessage:
    """Build a mail with the standard library."""
    mail = EmailMessage(policy=SMTP)
    match tree:
        case ("octets", str(text), str(how)):
            mail.set_content(text.encode(), "application", "octet-stream", cte="base64")
            assert how
        case (str(kind), list(inner)):
            mail["Content-Type"] = f"multipart/{kind}"
            mail.set_payload([built(each) for each in inner])
        case (str(kind), str(text), str(how)):
            mail.set_content(text, subtype=kind, cte=how)
    return mail


def as_library(mail: Message) -> list[tuple[str, bytes]]:
    """List the parts that hold no others, as the standard library sees them."""
    alone = [part for part in mail.walk() if not part.is_multipart()]
    contents = [part.get_payload(decode=True) for part in alone]
    return [
        (part.get_content_type(), content if isinstance(content, bytes) else b"")
        for part, content in zip(alone, contents, strict=True)
    ]


@settings(deadline=None, max_examples=200)
@given(TREES, st.booleans())
def test_parts_are_those_that_the_library_finds(
    tree: tuple[object, ...], is_bare: bool
) -> None:
    raw = built(tree).as_bytes()
    raw = raw.replace(b"\r\n", b"\n") if is_bare else raw

    found = [(part.media_type, part.content()) for part in leaves(open_mail(raw))]

    assert found == as_library(message_from_bytes(raw, policy=default))


def test_part_without_headers_is_text() -> None:
    [part] = children(open_mail(a_multipart("\r\nhello")))

    assert (part.media_type, part.content()) == ("text/plain", b"hello")


def test_parts_of_a_digest_are_mails() -> None:
    [part] = children(open_mail(a_multipart("\r\nSubject: x\r\n\r\nhi", kind="digest")))

    assert part.media_type == "message/rfc822"


@pytest.mark.parametrize("boundary", ["", "x" * 300])
def test_multipart_without_a_boundary_holds_nothing(boundary: str) -> None:
    kind = f'multipart/mixed; boundary="{boundary}"'

    assert list(children(open_mail(a_mail("--\r\n\r\nx", content_type=kind)))) == []


def test_outer_boundary_ends_what_is_inside() -> None:
    inner = 'Content-Type: multipart/mixed; boundary="in"\r\n\r\n--in\r\n\r\none'
    raw = a_multipart(inner, "\r\ntwo")

    assert [part.content() for part in leaves(open_mail(raw))] == [b"one", b"two"]


def test_content_comes_in_pieces_that_are_the_whole() -> None:
    raw = a_mail(
        b"QUJD\r\n" * 500_000 + b"RA==\r\nRUZH", content_transfer_encoding="base64"
    )

    pieces = list(open_mail(raw).blocks())

    assert len(pieces) > 2
    assert b"".join(pieces) == b"ABC" * 500_000 + b"D"


@pytest.mark.parametrize("count", [100, 101])
def test_hundred_parts_are_the_most(count: int) -> None:
    mail = open_mail(a_multipart(*["\r\nx"] * count))

    if count > 100:
        with pytest.raises(TooComplex, match="more than 100 parts"):
            list(leaves(mail))
    else:
        assert len(list(leaves(mail))) == 100
