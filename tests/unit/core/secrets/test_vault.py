"""Sealed secrets open in their place, under a key that is there, and nowhere else."""

import os
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.problems import InvalidArgument, SealBroken
from core.secrets.model import KeyRing, Purpose, check_secret, context_of
from core.secrets.vault import Vault

HERE = context_of("default", "connections", row="C-1", field="secret")


class RingInMemory:
    """A keystore that forgets with the process."""

    def __init__(self) -> None:
        self.kept = KeyRing(current="k1", keys={"k1": os.urandom(32)})

    def ring(self, purpose: Purpose) -> KeyRing:
        assert purpose is Purpose.SEAL
        return self.kept

    def rotate(self, purpose: Purpose) -> KeyRing:
        name = f"k{len(self.kept.keys) + 1}"
        keys = {**self.kept.keys, name: os.urandom(32)}
        self.kept = KeyRing(current=name, keys=keys)
        return self.kept

    def retire(self, purpose: Purpose, key_id: str) -> KeyRing:
        keys: Mapping[str, bytes] = {
            name: key for name, key in self.kept.keys.items() if name != key_id
        }
        self.kept = KeyRing(current=self.kept.current, keys=keys)
        return self.kept


@pytest.fixture
def keystore() -> RingInMemory:
    return RingInMemory()


@pytest.fixture
def vault(keystore: RingInMemory) -> Vault:
    return Vault(keystore)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    vault = Vault(RingInMemory())

    assert vault.open_(vault.seal(plaintext, context=HERE), context=HERE) == plaintext


def test_the_same_secret_never_looks_the_same(vault: Vault) -> None:
    """R-70: keys and nonces are fresh each time."""
    sealed = {vault.seal(b"hunter2", context=HERE) for _ in range(1000)}

    assert len({text.split(".")[2] for text in sealed}) == 1000
    assert len({text.split(".")[3][:16] for text in sealed}) == 1000
    assert not any("hunter2" in text for text in sealed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        context_of("acme", "connections", row="C-1", field="secret"),
        context_of("default", "webhooks", row="C-1", field="secret"),
        context_of("default", "connections", row="C-2", field="secret"),
        context_of("default", "connections", row="C-1", field="token"),
        "",
    ],
)
def test_a_moved_secret_does_not_open(vault: Vault, elsewhere: str) -> None:
    """R-70: tenant, table, row and field are bound."""
    sealed = vault.seal(b"hunter2", context=HERE)

    with pytest.raises(SealBroken):
        vault.open_(sealed, context=elsewhere)
    with pytest.raises(SealBroken):
        vault.rewrap(sealed, context=elsewhere)


def test_contexts_cannot_run_into_each_other() -> None:
    joined = {
        context_of("a", "b", row="c", field="d"),
        context_of("a", "b", row="", field="cd"),
        context_of("ab", "", row="c", field="d"),
        context_of('a","b', "", row="c", field="d"),
    }

    assert len(joined) == 4


@settings(deadline=None)
@given(somewhere=st.integers(0, 10_000), letter=st.sampled_from("Ab0_.=é"))
def test_a_changed_secret_does_not_open(somewhere: int, letter: str) -> None:
    """R-70: any flipped character is noticed."""
    vault = Vault(RingInMemory())
    sealed = vault.seal(b"hunter2", context=HERE)
    place = somewhere % len(sealed)
    wrong = "!" if letter == sealed[place] else letter

    with pytest.raises(SealBroken):
        vault.open_(sealed[:place] + wrong + sealed[place + 1 :], context=HERE)


def test_parts_of_two_secrets_do_not_mix(vault: Vault) -> None:
    one = vault.seal(b"one", context=HERE).split(".")
    two = vault.seal(b"two", context=HERE).split(".")

    with pytest.raises(SealBroken):
        vault.open_(".".join([*one[:3], two[3]]), context=HERE)


@pytest.mark.parametrize("text", ["", "hunter2", "v1...", "v1.k1.AA.AA", "v2.k1.AA.AA"])
def test_what_was_never_sealed_does_not_open(vault: Vault, text: str) -> None:
    with pytest.raises(SealBroken):
        vault.open_(text, context=HERE)


def test_rotation_loses_no_secret(vault: Vault, keystore: RingInMemory) -> None:
    """R-70: rotate, rewrap, retire; the secret itself is not encrypted again."""
    sealed = vault.seal(b"hunter2", context=HERE)
    keystore.rotate(Purpose.SEAL)
    assert vault.open_(sealed, context=HERE) == b"hunter2"
    assert not vault.is_current(sealed)

    moved = vault.rewrap(sealed, context=HERE)
    keystore.retire(Purpose.SEAL, "k1")

    assert vault.is_current(moved)
    assert vault.open_(moved, context=HERE) == b"hunter2"
    assert moved.split(".")[3] == sealed.split(".")[3]


def test_a_lost_key_fails_closed(vault: Vault, keystore: RingInMemory) -> None:
    """R-70."""
    sealed = vault.seal(b"hunter2", context=HERE)
    keystore.rotate(Purpose.SEAL)
    keystore.retire(Purpose.SEAL, "k1")

    with pytest.raises(SealBroken, match="k1"):
        vault.open_(sealed, context=HERE)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "\t\n",
        "changeme",
        "CHANGE-ME",
        "change_me",
        "changemechangemechangeme",
        "default-secret-default-secret",
        "hunter2",
        "x" * 40,
        "a" * 15,
        "a" * 16,
        "abcabcabcabcabcabcabc",
        "1234567890123456",
        "password12345678",
        "whsec_whsec_whsec_",
        "whsec_aaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_secrets_that_are_none_are_refused(value: str) -> None:
    """R-05: and the refusal does not repeat them."""
    with pytest.raises(InvalidArgument) as refusal:
        check_secret("SIGNING_SECRET", value)

    assert "SIGNING_SECRET" in refusal.value.detail
    assert "openssl rand -hex 32" in refusal.value.fix[0]
    assert not value.strip() or value not in refusal.value.detail


@pytest.mark.parametrize(
    "value",
    [
        "0a1b2c3d" * 4,
        "correct horse battery",
        "my-password-is-blue-17",
        "whsec_5f0c2ab9417de683",
    ],
)
def test_other_secrets_are_taken_as_they_are(value: str) -> None:
    assert check_secret("SIGNING_SECRET", value) == value


def test_a_secret_may_have_to_be_longer() -> None:
    with pytest.raises(InvalidArgument, match="32"):
        check_secret("ADMIN_KEY", "0a1b2c3d" * 3, least=32)
