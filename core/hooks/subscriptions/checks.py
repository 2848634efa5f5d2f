"""What may be typed for a subscription: its name, its address, what it wants; pure."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from core.hooks.subscriptions.model import is_told
from core.kernel.addresses import (
    ALLOW_SETTING,
    AddressRefused,
    Allowed,
    check_addresses,
    parse_target,
)
from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument

NOTHING_INSIDE = Allowed()

_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_EVENT_NAME_LIMIT = 64
_TARGET_LIMIT = 200
_MOST_WANTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRules:
    """Where may be sent to: `allowed` although it is inside, and never to `own`.

    Shape:  `own` is the gateway's own address, "" when it does not know it.
    """

    allowed: Allowed = NOTHING_INSIDE
    own: str = ""


def parse_name(text: str) -> str:
    """Read the name of a subscription.

    Raises: InvalidArgument.
    """
    return require_name("a subscription", text, such_as="audit-log")


def parse_url(text: str) -> str:
    """Read the address of a receiver, without asking the network about it.

    Raises: InvalidArgument naming what is wrong with it.
    """
    if "#" in text:
        raise _bad_url(
            "the URL ends in a fragment, which is never sent", "leave it out"
        )
    parse_target(text)
    return text


def require_outside(url: str, rules: UrlRules) -> None:
    """Refuse what could never be sent to: addresses inside, and http unless allowed.

    Where a name leads to is only known when something is sent, and checked then. A
    name may lead into a network that is allowed, and so goes by http for the moment.
    Raises: InvalidArgument saying what would let it.
    """
    target, allowed = parse_target(url), rules.allowed
    if rules.own and target.authority == parse_target(rules.own).authority:
        raise _bad_url(
            f"{target.authority} is this gateway: it would be told of being told",
            "run a command when something happens: help trigger create",
        )
    try:
        if _is_address(target.host):
            check_addresses(target, [target.host], allowed=allowed)
            return
    except AddressRefused as refusal:
        raise _bad_url(str(refusal), refusal.fix) from refusal
    if not (target.is_secure or target.host in allowed.names or allowed.networks):
        raise _bad_url(
            f"what is sent to {target.host} by http could be read on the way",
            f"use https, or add {target.host} to {ALLOW_SETTING}",
        )


def parse_types(names: frozenset[str]) -> frozenset[str]:
    """Read names of events.

    Raises: InvalidArgument naming the first that is none, or is never told.
    """
    _check_count("events", names)
    for name in sorted(names):
        if len(name) > _EVENT_NAME_LIMIT or not _EVENT_NAME.fullmatch(name):
            raise InvalidArgument(
                f"{name[:80]!r} is no name of an event",
                fix=["use names such as task_created,status_changed"],
                argument="events",
            )
        if not is_told(name):
            raise InvalidArgument(
                f"{name} is never sent, because sending it would cause the next one",
                fix=["leave it out; subscription deliveries shows how sending went"],
                argument="events",
            )
    return names


def parse_targets(targets: frozenset[str]) -> frozenset[str]:
    """Read the ids of what events are about.

    Raises: InvalidArgument.
    """
    _check_count("targets", targets)
    for each in sorted(targets):
        if not each.isprintable() or not 0 < len(each) <= _TARGET_LIMIT:
            raise InvalidArgument(
                f"{each[:80]!r} is no target of an event",
                fix=["use ids such as T-12"],
                argument="targets",
            )
    return targets


def _check_count(name: str, values: frozenset[str]) -> None:
    if len(values) > _MOST_WANTED:
        raise InvalidArgument(
            f"{len(values)} {name} are too many",
            fix=[f"name at most {_MOST_WANTED}, or use --filter"],
            argument=name,
        )


def _bad_url(detail: str, fix: str) -> InvalidArgument:
    return InvalidArgument(detail, fix=[fix], argument="url")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
