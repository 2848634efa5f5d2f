"""Signed links: one thing, for a while, and no byte of them may change."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.principal import TenantId
from core.kernel.problems import LinkExpired, NotFound
from core.secrets.links import Link, Links
from core.secrets.model import Purpose
from gateway.adapters.keystore import FileKeystore
from tests.conftest import FakeClock

NOW = FakeClock().now()
LINK = Link(
    kind="export",
    tenant=TenantId("acme"),
    subject="X-9",
    until=NOW + timedelta(hours=24),
)


@pytest.fixture
def keystore(tmp_path: Path) -> FileKeystore:
    return FileKeystore(tmp_path / "keystore.json")


def test_a_link_says_what_it_was_signed_for(keystore: FileKeystore) -> None:
    token = Links(keystore).sign(LINK)

    assert Links(keystore).read(token, "export", now=NOW) == LINK


def test_a_link_ends_at_its_moment(keystore: FileKeystore) -> None:
    links = Links(keystore)

    with pytest.raises(LinkExpired, match="was good until"):
        links.read(links.sign(LINK), "export", now=LINK.until)


def test_a_link_is_good_for_one_kind_of_access(keystore: FileKeystore) -> None:
    links = Links(keystore)

    with pytest.raises(NotFound):
        links.read(links.sign(LINK), "upload", now=NOW)


def test_a_key_that_was_replaced_still_reads(keystore: FileKeystore) -> None:
    links = Links(keystore)
    token = links.sign(LINK)
    old = keystore.ring(Purpose.LINK).current
    keystore.rotate(Purpose.LINK)

    assert links.read(token, "export", now=NOW) == LINK

    keystore.retire(Purpose.LINK, old)
    with pytest.raises(NotFound):
        links.read(token, "export", now=NOW)


def test_no_other_tenant_or_thing_can_be_put_in(keystore: FileKeystore) -> None:
    """The body of one token and the signature of another make none."""
    links = Links(keystore)
    mine = links.sign(LINK).rpartition(".")
    for other in (
        replace(LINK, tenant=TenantId("zulu")),
        replace(LINK, subject="X-10"),
        replace(LINK, until=LINK.until + timedelta(days=999)),
    ):
        theirs = links.sign(other).rpartition(".")

        with pytest.raises(NotFound):
            links.read(f"{theirs[0]}.{mine[2]}", "export", now=NOW)


@pytest.mark.parametrize(
    "token", ["", "v1", "v1...", "v1.a.b.c", "x" * 5_000, "v1.é.b.c", "../../etc"]
)
def test_what_is_no_token_is_not_found(keystore: FileKeystore, token: str) -> None:
    with pytest.raises(NotFound, match="this link does not exist"):
        Links(keystore).read(token, "export", now=NOW)


@pytest.fixture(scope="session")
def links(tmp_path_factory: pytest.TempPathFactory) -> Links:
    return Links(FileKeystore(tmp_path_factory.mktemp("keys") / "keystore.json"))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 5))
def test_no_changed_character_passes(links: Links, at: int, bit: int) -> None:
    """R-67: the last character of a base64 text has bits to spare; they count too."""
    token = links.sign(LINK)
    place = at % len(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    known = alphabet.index(token[place])
    other = alphabet[(known ^ (1 << bit)) % len(alphabet)]
    changed = token[:place] + other + token[place + 1 :]

    if changed == token:
        return
    with pytest.raises(NotFound):
        links.read(changed, "export", now=NOW)
