"""Mails with DKIM signatures, and the DNS that holds their keys."""

import base64
from collections.abc import Callable
from functools import cache

import dkim  # type: ignore[import-untyped]  # it has no types
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SELECTOR = "s1"
SIGNED = (b"from", b"to", b"subject", b"date", b"message-id")


@cache
def key_of(domain: str, bits: int = 2048) -> tuple[bytes, bytes]:
    """Make the private key of a domain, and the text of its public one."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    der = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)


def dns_of(*domains: str, bits: int = 2048) -> Callable[[str], bytes | None]:
    """Make a DNS that knows the keys of some domains."""

    def look_up(name: str) -> bytes | None:
        for domain in domains:
            if name.rstrip(".") == f"{SELECTOR}._domainkey.{domain}":
                return key_of(domain, bits)[1]
        return None

    return look_up


def mail_from(address: str, *, text: str = "!task list", head: str = "") -> bytes:
    """Write a mail that nobody has signed."""
    return (
        f"{head}From: {address}\r\nTo: ops@example.org\r\nSubject: hello\r\n"
        "Date: Wed, 4 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
        f"\r\n{text}\r\n"
    ).encode()


def sign(
    raw: bytes,
    domain: str,
    *,
    include: tuple[bytes, ...] = SIGNED,
    has_length: bool = False,
    bits: int = 2048,
) -> bytes:
    """Sign a mail as a domain."""
    signature: bytes = dkim.sign(
        raw,
        SELECTOR.encode(),
        domain.encode(),
        key_of(domain, bits)[0],
        include_headers=list(include),
        length=has_length,
    )
    return signature + raw
