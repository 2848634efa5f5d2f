"""Envelope encryption: each secret under a key of its own, that key under the ring's.

A sealed text is `v1.<ring key id>.<wrapped key>.<ciphertext>`. Both layers are
AES-256-GCM with fresh 96-bit nonces, and both are bound to the context: a text moved
to another tenant, table, row or field does not open.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.kernel.problems import SealBroken
from core.secrets.model import KEY_BYTES, Keystore, Purpose

_VERSION = "v1"
_NONCE_BYTES = 12
_SEALED = re.compile(r"v1\.([A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class _Envelope:
    key_id: str
    wrapped: bytes
    ciphertext: bytes


class Vault:
    """Seals and opens secrets with the keystore's present ring; pure but for that."""

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def seal(self, plaintext: bytes, *, context: str) -> str:
        """Encrypt a secret for one place; the same secret never looks the same twice."""
        secret_key = token_bytes(KEY_BYTES)
        ciphertext = _encrypt(secret_key, plaintext, _bind("body", "", context))
        return self._wrap(secret_key, ciphertext, context)

    def open_(self, sealed: str, *, context: str) -> bytes:
        """Decrypt a secret in its place.

        Raises: SealBroken when it was moved or changed, or its key is gone.
        """
        envelope = _parse(sealed)
        secret_key = self._unwrap(envelope, context)
        return _decrypt(secret_key, envelope.ciphertext, _bind("body", "", context))

    def rewrap(self, sealed: str, *, context: str) -> str:
        """Put the same ciphertext under the ring's current key.

        Raises: SealBroken.
        """
        envelope = _parse(sealed)
        return self._wrap(self._unwrap(envelope, context), envelope.ciphertext, context)

    def is_current(self, sealed: str) -> bool:
        """Tell whether a sealed text needs no rewrapping.

        Raises: SealBroken when it is no sealed text.
        """
        return _parse(sealed).key_id == self._keystore.ring(Purpose.SEAL).current

    def _wrap(self, secret_key: bytes, ciphertext: bytes, context: str) -> str:
        ring = self._keystore.ring(Purpose.SEAL)
        bound = _bind("key", ring.current, context)
        wrapped = _encrypt(ring.keys[ring.current], secret_key, bound)
        return ".".join(
            (_VERSION, ring.current, _to_text(wrapped), _to_text(ciphertext))
        )

    def _unwrap(self, envelope: _Envelope, context: str) -> bytes:
        key = self._keystore.ring(Purpose.SEAL).keys.get(envelope.key_id)
        if key is None:
            raise SealBroken(f"the key {envelope.key_id} is not in the keystore")
        return _decrypt(key, envelope.wrapped, _bind("key", envelope.key_id, context))


def _bind(layer: str, key_id: str, context: str) -> bytes:
    return f"opswire {_VERSION} {layer} {key_id}\n{context}".encode()


def _encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    nonce = token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _decrypt(key: bytes, raw: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as fault:
        raise SealBroken("it was moved or changed since it was sealed") from fault


def _parse(sealed: str) -> _Envelope:
    found = _SEALED.fullmatch(sealed)
    if found is None:
        raise SealBroken("it is not a sealed secret")
    return _Envelope(found[1], _to_bytes(found[2]), _to_bytes(found[3]))


def _to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as fault:
        raise SealBroken("it is not a sealed secret") from fault
    if _to_text(raw) != text:
        raise SealBroken("it is not a sealed secret")
    return raw
