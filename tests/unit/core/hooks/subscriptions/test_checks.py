"""What may be typed for a subscription, and what is said of the rest."""

import pytest

from core.hooks.subscriptions.checks import (
    UrlRules,
    parse_name,
    parse_targets,
    parse_types,
    parse_url,
    require_outside,
)
from core.kernel.addresses import parse_allowed
from core.kernel.problems import InvalidArgument

GOOD = "https://hooks.example.com/opswire?team=a"


@pytest.mark.parametrize("name", ["a", "audit-log", "0", "a" * 40])
def test_a_name_is_short_and_plain(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a" * 41, "sb-3", "é", "a\n"])
def test_what_is_no_name_is_quoted(name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_name(name)

    assert repr(name[:80]) in refusal.value.detail
    assert refusal.value.fix


@pytest.mark.parametrize(
    "url", [GOOD, "http://hooks.example.com", "https://203.0.114.7:8443/a"]
)
def test_a_web_address_is_kept_as_it_was_typed(url: str) -> None:
    assert parse_url(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://hooks.example.com", "no web address"),
        ("https:///path", "no web address"),
        ("hooks.example.com", "no web address"),
        ("https://ann:pw@hooks.example.com", "a name or a password"),
        ("https://@hooks.example.com", "a name or a password"),
        ("https://hooks.example.com/#top", "fragment"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com:0/", "port 0"),
        ("https://hooks.example.com:99999/", "no URL"),
        ("https://hooks.example.com/a b", "character"),
        ("https://hooks.example.com/é", "character"),
        ("https://hooks.example.com/" + "a" * 2_000, "2026 characters"),
        ("https://0x7f000001/", "unusual spelling"),
    ],
)
def test_what_is_no_address_is_told_why(url: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_url(url)

    assert why in refusal.value.detail
    assert refusal.value.extra["argument"] == "url"
    assert "pw" not in refusal.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "http://203.0.114.7/",
        "http://hooks.example.com/",
    ],
)
def test_what_could_never_be_sent_to_is_refused_at_once(url: str) -> None:
    """R-65."""
    with pytest.raises(InvalidArgument) as refusal:
        require_outside(url, UrlRules())

    assert any("OPSWIRE_OUTBOUND__ALLOW" in each for each in refusal.value.fix)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (GOOD, ""),
        ("https://203.0.114.7/", ""),
        ("http://127.0.0.1:9/", "127.0.0.0/8"),
        ("http://hooks.internal/", "hooks.internal"),
        ("http://localhost:9/", "127.0.0.0/8"),
    ],
)
def test_what_is_outside_or_allowed_is_taken(url: str, allowed: str) -> None:
    require_outside(url, UrlRules(allowed=parse_allowed(allowed)))


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://ops.example.com/v1/channels/webhook/alerts", True),
        ("https://OPS.example.com.:443/", True),
        ("https://ops.example.com:8443/", False),
        ("https://hooks.example.com/", False),
    ],
)
def test_a_gateway_is_not_told_of_being_told(url: str, is_own: bool) -> None:
    rules = UrlRules(own="https://ops.example.com")
    if not is_own:
        require_outside(url, rules)
        return

    with pytest.raises(InvalidArgument, match="is this gateway"):
        require_outside(url, rules)


def test_names_of_events_are_read() -> None:
    names = frozenset({"task_created", "deploy_finished"})

    assert parse_types(names) == names


@pytest.mark.parametrize("name", ["", "Task", "task created", "task__a", "a" * 65])
def test_what_is_no_name_of_an_event_is_quoted(name: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_types(frozenset({name}))

    assert repr(name[:80]) in refusal.value.detail


@pytest.mark.parametrize(
    "name", ["subscription_disabled", "delivery_failed", "trigger_cut"]
)
def test_events_of_sending_cannot_be_wanted(name: str) -> None:
    with pytest.raises(InvalidArgument, match="is never sent"):
        parse_types(frozenset({name}))


@pytest.mark.parametrize("target", ["", "a\nb", "a" * 201])
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_targets(frozenset({target}))


def test_too_many_names_are_refused() -> None:
    names = frozenset(f"event_{number}" for number in range(51))

    with pytest.raises(InvalidArgument, match="51 events are too many"):
        parse_types(names)
    with pytest.raises(InvalidArgument, match="51 targets are too many"):
        parse_targets(names)
