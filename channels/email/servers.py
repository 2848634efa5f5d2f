"""Where mail is read and sent, as one URL says it; pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from core.kernel.problems import InvalidArgument


class Tls(StrEnum):
    """How a connection is kept private."""

    DIRECT = "direct"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server and who signs in there; `password` and `token` are never shown.

    Shape:  `token` is an OAuth access token to sign in with instead of a password,
            `folder` the mailbox to read; both are "" where they do not apply.
    """

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    folder: str = ""


_SCHEMES = {
    "imaps": (993, Tls.DIRECT),
    "imap": (143, Tls.STARTTLS),
    "smtps": (465, Tls.DIRECT),
    "smtp": (587, Tls.STARTTLS),
}


def parse_imap(url: str) -> MailServer:
    """Read `imaps://user:password@host:port/INBOX`.

    Raises: InvalidArgument, which never repeats the password.
    """
    return _parse(url, "imap", example="imaps://user:password@host:993/INBOX")


def parse_smtp(url: str) -> MailServer:
    """Read `smtps://user:password@host:port`.

    Raises: InvalidArgument, which never repeats the password.
    """
    return _parse(url, "smtp", example="smtps://user:password@host:465")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, so that nobody can listen in between."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(url: str, kind: str, *, example: str) -> MailServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _not_an_address(kind, example) from None
    if parts.scheme not in (kind, f"{kind}s") or not parts.hostname:
        raise _not_an_address(kind, example)
    default_port, tls = _SCHEMES[parts.scheme]
    if tls is Tls.STARTTLS and is_loopback(parts.hostname):
        tls = Tls.NONE
    is_oauth = (parts.username or "").endswith(";AUTH=XOAUTH2")
    secret = unquote(parts.password or "")
    return MailServer(
        host=parts.hostname,
        port=port or default_port,
        tls=tls,
        user=unquote((parts.username or "").removesuffix(";AUTH=XOAUTH2")),
        password="" if is_oauth else secret,
        token=secret if is_oauth else "",
        folder=_folder(parts) if kind == "imap" else "",
    )


def _folder(parts: SplitResult) -> str:
    return unquote(parts.path.strip("/")) or "INBOX"


def _not_an_address(kind: str, example: str) -> InvalidArgument:
    return InvalidArgument(
        f"the {kind.upper()} address of the mailbox cannot be read",
        fix=[f"write it as {example}", "percent-encode @ : / in user and password"],
    )
