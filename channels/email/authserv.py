"""What the mail server in front of us found out about a sender; pure.

Anybody can write an Authentication-Results header. The one that counts was written
last, so it stands on top, and by our own server, so it carries the configured name.
"""

from enum import StrEnum

from authres import (  # type: ignore[import-untyped]  # it has no types
    AuthenticationResultsHeader,
    AuthResError,
)
from authres.core import AuthenticationResult  # type: ignore[import-untyped]  # the same

from channels.email.heads import Head, domain_of, is_aligned

HEADER = "authentication-results"
VALUE_LIMIT = 8_192

# What authres raises for junk, by name or by accident.
_JUNK = (
    AuthResError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Finding(StrEnum):
    """What the server in front of us says about the domain in From."""

    PASS = "pass"  # noqa: S105 - a word of RFC 8601, no password
    FAIL = "fail"
    SILENT = "silent"


def find_result(head: Head, *, authserv_id: str, domain: str) -> Finding:
    """Read what our own server says, if the topmost header is its."""
    results = _own_results(head, authserv_id)
    dmarc = [each for each in results if each.method == "dmarc"]
    verdicts = {str(each.result).lower() for each in dmarc}
    if "fail" in verdicts:
        return Finding.FAIL
    if verdicts == {"pass"} and all(
        _value(each, "header", "from") == domain for each in dmarc
    ):
        return Finding.PASS
    if any(_is_aligned_pass(each, domain) for each in results):
        return Finding.PASS
    return Finding.SILENT


def _own_results(head: Head, authserv_id: str) -> list[AuthenticationResult]:
    topmost = head.values(HEADER)[:1]
    if not authserv_id or not topmost or len(topmost[0]) > VALUE_LIMIT:
        return []
    try:
        parsed = AuthenticationResultsHeader.parse(f"{HEADER}: {topmost[0]}")
    except _JUNK:
        return []
    if str(parsed.authserv_id).lower() != authserv_id.lower():
        return []
    # `none` says that nothing was looked at; it is no result and has no properties.
    return [each for each in parsed.results if isinstance(each, AuthenticationResult)]


def _is_aligned_pass(result: AuthenticationResult, domain: str) -> bool:
    if str(result.result).lower() != "pass":
        return False
    if result.method == "dkim":
        signer = _value(result, "header", "d") or _value(result, "header", "i")
        return is_aligned(domain_of(signer), of=domain)
    if result.method == "spf":
        return is_aligned(domain_of(_value(result, "smtp", "mailfrom")), of=domain)
    return False


def _value(result: AuthenticationResult, kind: str, name: str) -> str:
    """Read a property; "" when it is missing or stands there twice."""
    found = [
        str(each.value or "").lower()
        for each in result.properties
        if (each.type.lower(), each.name.lower()) == (kind, name)
    ]
    return found[0] if len(found) == 1 else ""
