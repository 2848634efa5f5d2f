"""Whether a browser page may open a WebSocket here: exact comparison, no parsing.

Browsers write an origin in one way only: lower case, no user, no path, no default
port. Whatever is written in another way was not written by a browser for a page that
we know, so nothing is normalised and nothing is matched in part.
"""

from collections.abc import Collection, Iterable

Header = tuple[bytes, bytes]

_SCHEMES = {"ws": "http", "wss": "https"}


def is_allowed(
    headers: Iterable[Header], *, scheme: str, allowed: Collection[str] = ()
) -> bool:
    """Tell whether the Origin is our own or one of `allowed`.

    Shape:  `scheme` is that of the connection, ws or wss. No Origin at all means no
            browser, which is fine because a credential is asked for in any case.
    """
    pairs = list(headers)
    origins = [value for name, value in pairs if name == b"origin"]
    hosts = [value for name, value in pairs if name == b"host"]
    if not origins:
        return True
    if len(origins) != 1 or len(hosts) != 1:
        return False
    origin = origins[0].decode("latin-1")
    own = f"{_SCHEMES.get(scheme, '')}://{hosts[0].decode('latin-1')}"
    return origin == own or origin in allowed
