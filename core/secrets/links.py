"""Signed links: whoever has one may fetch one thing until a moment, and nothing else.

A token is `v1.<key id>.<body>.<mac>`. The body names what the link is for, the tenant,
the thing and the moment in plain JSON; the HMAC-SHA256 over all of it is what makes it
good. Its keys serve nothing else, and it is no credential: it opens no other door.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson

from core.kernel.clock import from_micros, to_micros
from core.kernel.jsons import canonical_json
from core.kernel.principal import TenantId
from core.kernel.problems import LinkExpired, NotFound
from core.secrets.model import Keystore, Purpose

LONGEST = 1_000
_TOKEN = re.compile(r"v1\.([A-Za-z0-9_-]{1,40})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a token allows: `kind` of access to `subject`, until a moment."""

    kind: str
    tenant: TenantId
    subject: str
    until: datetime


class Links:
    """Signs links, and reads them back with whatever keys are in force."""

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def sign(self, link: Link) -> str:
        """Write a link as a token that can stand in a path."""
        ring = self._keystore.ring(Purpose.LINK)
        body = canonical_json(
            [link.kind, link.tenant, link.subject, to_micros(link.until)]
        )
        signed = f"v1.{ring.current}.{_to_text(body)}"
        return f"{signed}.{_mac(ring.keys[ring.current], signed)}"

    def read(self, token: str, kind: str, *, now: datetime) -> Link:
        """Read a token that was signed for this kind of access.

        Raises: NotFound for what was never signed here, LinkExpired for what was and is
                past its moment.
        """
        found = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
        key = self._keystore.ring(Purpose.LINK).keys.get(found[1]) if found else None
        if found is None or key is None:
            raise _unknown()
        signed, _, mac = token.rpartition(".")
        if not hmac.compare_digest(mac, _mac(key, signed)):
            raise _unknown()
        link = _parse(found[2])
        if link.kind != kind:
            raise _unknown()
        if now >= link.until:
            raise LinkExpired(
                f"this link was good until {link.until:%Y-%m-%d %H:%M} UTC",
                fix=["ask again where you got it; what it led to may still be there"],
            )
        return link


def _mac(key: bytes, signed: str) -> str:
    return _to_text(hmac.digest(key, signed.encode(), sha256))


def _parse(body: str) -> Link:
    """Read a body whose signature was found good."""
    raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    kind, tenant, subject, until = orjson.loads(raw)
    return Link(
        kind=kind, tenant=TenantId(tenant), subject=subject, until=from_micros(until)
    )


def _unknown() -> NotFound:
    return NotFound(
        "this link", fix=["copy the whole link", "ask again where you got it"]
    )


def _to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
