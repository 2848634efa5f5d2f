"""R-65: where a URL may lead, read from its text and from what its name resolved to."""

from ipaddress import ip_address

import pytest

from core.kernel.addresses import (
    ALLOW_SETTING,
    URL_LIMIT,
    AddressRefused,
    Allowed,
    Target,
    check_addresses,
    parse_allowed,
    parse_target,
    refusal_of,
)
from core.kernel.problems import InvalidArgument
from tests import spellings

NOTHING = Allowed()
OUTSIDE = "93.184.215.14"


def reach(url: str, *addresses: str, allowed: Allowed = NOTHING) -> list[str]:
    """Read a URL, and check what its host resolved to: itself, unless told."""
    target = parse_target(url)
    found = addresses or [target.host]
    return list(check_addresses(target, found, allowed=allowed))


@pytest.mark.parametrize("host", spellings.HOSTS)
def test_no_spelling_of_an_inside_address_passes(host: str) -> None:
    """R-65: whoever resolves it, and however generously."""
    for scheme in ("http", "https"):
        with pytest.raises((InvalidArgument, AddressRefused)):
            reach(f"{scheme}://{host}:8080/hook")
        with pytest.raises((InvalidArgument, AddressRefused)):
            reach(f"{scheme}://{host}:8080/hook", "127.0.0.1")


@pytest.mark.parametrize("url", spellings.URLS)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    """R-65."""
    with pytest.raises((InvalidArgument, AddressRefused)):
        reach(url.format(port=8080))


def test_there_are_more_spellings_than_were_promised() -> None:
    """R-65: 79 at least."""
    assert len(set(spellings.HOSTS)) >= 79


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", OUTSIDE, "172.15.255.255", "172.32.0.1", "100.63.255.255",
     "100.128.0.1", "11.0.0.1", "9.255.255.255", "223.255.255.255", "128.0.0.1",
     "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::200e"],
)  # fmt: skip
def test_what_is_outside_may_be_reached(address: str) -> None:
    assert refusal_of(ip_address(address)) == ""
    assert reach("https://hooks.example.com/", address) == [address]


@pytest.mark.parametrize("network", ["::127.0.0.1", "64:ff9b::7f00:1"])
def test_what_the_standard_library_calls_global_is_refused(network: str) -> None:
    """Its `is_global` is no guard."""
    assert ip_address(network).is_global
    assert "disguise" in refusal_of(ip_address(network))


def test_the_range_is_named() -> None:
    with pytest.raises(AddressRefused) as refused:
        reach("https://inside.example/", "169.254.169.254")

    assert refused.value.reason == (
        "inside.example leads to 169.254.169.254, "
        "which is a link-local address, as cloud metadata has"
    )
    assert ALLOW_SETTING in refused.value.fix


def test_one_address_inside_among_many_is_enough() -> None:
    """A name that also leads inside could be tried until it does."""
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.7"):
        reach("https://many.example/", OUTSIDE, "10.0.0.7", "1.1.1.1")


def test_a_name_without_addresses_is_refused() -> None:
    with pytest.raises(AddressRefused, match="no address"):
        check_addresses(parse_target("https://none.example"), [], allowed=NOTHING)


def test_plain_http_is_refused_outside() -> None:
    with pytest.raises(AddressRefused, match="read on the way") as refused:
        reach("http://hooks.example.com/", OUTSIDE)

    assert "use https" in refused.value.fix


# ── what was allowed ──────────────────────────────────────────────────────────
def test_an_allowed_network_is_reached_by_http_too() -> None:
    allowed = parse_allowed("127.0.0.0/8, fd00::/8")

    assert reach("http://127.0.0.1:9/", allowed=allowed) == ["127.0.0.1"]
    assert reach("http://[fd00::1]/", allowed=allowed) == ["fd00::1"]
    with pytest.raises(AddressRefused):
        reach("http://10.0.0.1/", allowed=allowed)


def test_an_allowed_address_is_not_allowed_in_disguise() -> None:
    allowed = parse_allowed("127.0.0.0/8")

    with pytest.raises(AddressRefused):
        reach("https://[::ffff:127.0.0.1]/", allowed=allowed)


def test_an_allowed_name_is_that_name_alone() -> None:
    allowed = parse_allowed("Hooks.Internal.")

    assert reach("http://HOOKS.internal/", "10.0.0.1", allowed=allowed) == ["10.0.0.1"]
    for other in ("evil.hooks.internal", "hooks.internal.example", "xhooks.internal"):
        with pytest.raises(AddressRefused):
            reach(f"https://{other}/", "10.0.0.1", allowed=allowed)


def test_nothing_is_allowed_unless_it_was_said() -> None:
    assert parse_allowed("") == parse_allowed(" , ") == NOTHING


@pytest.mark.parametrize("text", ["127.0.0.1/8", "10.0.0.0/33", "*", "a b", "http://x"])
def test_what_is_neither_network_nor_name_is_quoted(text: str) -> None:
    with pytest.raises(InvalidArgument, match=ALLOW_SETTING) as refused:
        parse_allowed(f"127.0.0.0/8,{text}")

    assert text in refused.value.detail


# ── reading ───────────────────────────────────────────────────────────────────
def test_a_url_is_read_in_one_way() -> None:
    target = parse_target("HTTPS://Hooks.Example.COM.:8443/a//b?c=d&e=%20#part")

    assert target == Target(
        scheme="https", host="hooks.example.com", port=8443, path="/a//b?c=d&e=%20"
    )
    assert target.authority == "hooks.example.com:8443"


@pytest.mark.parametrize(
    ("url", "authority"),
    [("https://a.example", "a.example"), ("http://a.example:80", "a.example"),
     ("http://a.example:443", "a.example:443"), ("https://[2a00::1]/", "[2a00::1]"),
     ("https://[2a00::1]:444/", "[2a00::1]:444"), ("https://xn--mnchen-3ya.example",
      "xn--mnchen-3ya.example"), ("https://under_score.example", "under_score.example")],
)  # fmt: skip
def test_the_authority_is_what_the_request_names(url: str, authority: str) -> None:
    target = parse_target(url)

    assert target.authority == authority
    assert target.path == "/"


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://" + "a" * URL_LIMIT, "characters"), ("https://ä.example", "no URL has"),
     ("https://u:p@a.example", "password"), ("https://2130706433", "unusual spelling"),
     ("https://a_.-.example", "no name of a host"), ("https://[::g]", "no URL"),
     ("https://[v1.x]", "no IPv6 address"), ("https://" + "a" * 64 + ".example", "no name"),
     ("ssh://a.example", "no web address"), ("https://a.example:0", "port 0")],
)  # fmt: skip
def test_what_is_wrong_with_a_url_is_told(url: str, told: str) -> None:
    with pytest.raises(InvalidArgument, match=told) as refused:
        parse_target(url)

    assert refused.value.fix
