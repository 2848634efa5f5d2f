"""Which places outside a URL may lead to; pure.

Names and prefixes of text prove nothing: a URL is read into parts with one meaning, and
what its name resolves to is compared, address by address, with the ranges below.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from core.kernel.problems import InvalidArgument

ALLOW_SETTING = "OPSWIRE_OUTBOUND__ALLOW"
URL_LIMIT = 2_000

_EXAMPLE = "write https://hooks.example.com/opswire"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAMED = {
    "this host": "0.0.0.0/8 ::/128",
    "a loopback address": "127.0.0.0/8 ::1/128",
    "a private address": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
    "a link-local address, as cloud metadata has": "169.254.0.0/16 fe80::/10",
    "a site-local address": "fec0::/10",
    "cloud metadata": "100.100.100.200/32 168.63.129.16/32 192.0.0.192/32",
    "an address shared by a provider's customers": "100.64.0.0/10",
    "reserved for protocols": "192.0.0.0/24 192.88.99.0/24 2001::/23 100::/64 100:0:0:1::/64",
    "reserved for benchmarks": "198.18.0.0/15",
    "reserved for documentation": (
        "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"
    ),
    "a multicast address": "224.0.0.0/4 ff00::/8",
    "the broadcast address": "255.255.255.255/32",
    "reserved": "240.0.0.0/4",
    # These lead to an IPv4 address that only whoever translates them knows.
    "an IPv4 address in disguise": (
        "::ffff:0:0/96 ::ffff:0:0:0/96 ::/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16"
    ),
    "a segment-routing address": "5f00::/16",
}
_REFUSED: Sequence[tuple[Network, str]] = [
    (ip_network(network), name)
    for name, networks in _NAMED.items()
    for network in networks.split()
]
# What has been given to anybody to be reached at; all else of IPv6 is for the future.
_IPV6_IN_USE = ip_network("2000::/3")

_VISIBLE = re.compile(r"[!-\[\]-~]+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME_LIMIT = 253
_PORTS = {"https": 443, "http": 80}


class AddressRefused(Exception):
    """A URL leads to where nothing of ours may be sent; `fix` says what would let it."""

    def __init__(self, reason: str, *, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads, read in the one way that it can be read.

    Shape:  `host` in lower case and without a last dot, an IPv6 address without its
            brackets; `path` with the query, and never empty.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_secure(self) -> bool:
        """Whether what is sent is encrypted, and the receiver proves its name."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The host as it stands in a request, with the port unless that goes without."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _PORTS[self.scheme] == self.port else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What may be reached although it is inside: networks, and hosts by their names."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()

    def has(self, host: str, address: Address) -> bool:
        """Tell whether an address of a host was allowed by hand."""
        return host in self.names or any(
            address.version == each.version and address in each
            for each in self.networks
        )


def parse_allowed(text: str) -> Allowed:
    """Read networks and host names with commas between them.

    Raises: InvalidArgument quoting what is neither.
    """
    networks, names = [], set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError as fault:
            name = _plain(part)
            if not _is_name(name):
                raise InvalidArgument(
                    f"{ALLOW_SETTING}: {part[:80]!r} is no network and no host name",
                    fix=["write 127.0.0.0/8,hooks.internal"],
                ) from fault
            names.add(name)
    return Allowed(networks=tuple(networks), names=frozenset(names))


def parse_target(url: str) -> Target:
    """Read a URL that something is to be sent to, without asking the network about it.

    Shape:  what one reader takes for one host and the next for another is refused:
            numbers other than four decimal ones, credentials, percent signs and
            letters outside ASCII in the host.
    Raises: InvalidArgument naming what is wrong with it.
    """
    if len(url) > URL_LIMIT:
        raise _bad(f"the URL has {len(url)} characters", f"use at most {URL_LIMIT}")
    if not _VISIBLE.fullmatch(url):
        raise _bad(
            f"{url[:80]!r} holds a character that no URL has",
            "percent-encode it; write a host's name in its xn-- form",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise _bad(f"{url[:80]!r} is no URL: {fault}", _EXAMPLE) from fault
    if parts.scheme not in _PORTS or not parts.netloc:
        raise _bad(f"{url[:80]!r} is no web address", _EXAMPLE)
    if "@" in parts.netloc:
        raise _bad("the URL holds a name or a password", "leave it out")
    if port == 0:
        raise _bad("the URL names port 0", "leave the port out, or name another")
    return Target(
        scheme=parts.scheme,
        host=_host(parts.netloc),
        port=port or _PORTS[parts.scheme],
        path=f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}",
    )


def check_addresses(
    target: Target, addresses: Iterable[str], *, allowed: Allowed
) -> Sequence[str]:
    """Return the addresses that a target resolved to, once each may be connected to.

    Raises: AddressRefused when one of them is inside, when the way there would not be
            encrypted, or when there are none.
    """
    found = [_parse_address(target, each) for each in addresses]
    if not found:
        raise AddressRefused(f"{target.host} has no address", fix="correct the URL")
    for address in found:
        if allowed.has(target.host, address):
            continue
        if reason := refusal_of(address):
            raise AddressRefused(
                f"{_led(target, address)}, which is {reason}",
                fix=f"use an address outside, or add it to {ALLOW_SETTING}",
            )
        if not target.is_secure:
            raise AddressRefused(
                f"what is sent to {target.host} by http could be read on the way",
                fix=f"use https, or add {target.host} to {ALLOW_SETTING}",
            )
    return [str(address) for address in found]


def refusal_of(address: Address) -> str:
    """Say why nothing may be sent to an address, "" when it may."""
    for network, name in _REFUSED:
        if address.version == network.version and address in network:
            return name
    if address.version == 6 and address not in _IPV6_IN_USE:
        return "not in use for anything that we know"
    return ""


def _host(netloc: str) -> str:
    """Read the host out of what stands between the slashes.

    Raises: InvalidArgument.
    """
    if netloc.startswith("["):
        host = netloc[1:].partition("]")[0]
        try:
            return str(IPv6Address(_unscoped(host)))
        except AddressValueError as fault:
            raise _bad(
                f"{host[:80]!r} is no IPv6 address", "write it as [2001:4860::8]"
            ) from fault
    name = _plain(netloc.partition(":")[0])
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _four_numbers(name)
    if not _is_name(name):
        raise _bad(f"{name[:80]!r} is no name of a host", _EXAMPLE)
    return name


def _unscoped(host: str) -> str:
    """Refuse what names an interface of this machine."""
    if "%" in host:
        raise AddressValueError("it names an interface")
    return host


def _four_numbers(name: str) -> str:
    """Read an IPv4 address that is spelled as everybody reads it.

    Raises: InvalidArgument for the spellings that only some resolvers understand.
    """
    try:
        return str(IPv4Address(name))
    except AddressValueError as fault:
        raise _bad(
            f"{name[:80]!r} is an address in an unusual spelling",
            "write four decimal numbers, such as 198.51.100.7",
        ) from fault


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_name(name: str) -> bool:
    labels = name.split(".")
    return len(name) <= _NAME_LIMIT and all(map(_LABEL.fullmatch, labels))


def _parse_address(target: Target, text: str) -> Address:
    """Read what a resolver found.

    Raises: AddressRefused for what is none, such as one with an interface.
    """
    try:
        return ip_address(_unscoped(text))
    except ValueError as fault:
        raise AddressRefused(
            f"{target.host} leads to {text[:80]!r}, which is no address outside",
            fix="use an address outside",
        ) from fault


def _led(target: Target, address: Address) -> str:
    shown = str(address)
    return shown if shown == target.host else f"{target.host} leads to {shown}"


def _bad(detail: str, fix: str) -> InvalidArgument:
    return InvalidArgument(detail, fix=[fix], argument="url")
