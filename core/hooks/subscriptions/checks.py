"""What may be typed for a subscription: its name, its address, what it wants; pure."""

import re
from urllib.parse import SplitResult, urlsplit

from core.hooks.subscriptions.model import is_told
from core.kernel.ids import NUMBERED
from core.kernel.problems import InvalidArgument

URL_LIMIT = 2_000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_EVENT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_EVENT_NAME_LIMIT = 64
_TARGET_LIMIT = 200
_MOST_WANTED = 50
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


def parse_name(text: str) -> str:
    """Read the name of a subscription.

    Raises: InvalidArgument.
    """
    if not _NAME.fullmatch(text) or NUMBERED.fullmatch(text.upper()):
        raise InvalidArgument(
            f"{text[:80]!r} is not a name for a subscription",
            fix=["use 1 to 40 of a-z, 0-9 and -, such as audit-log"],
            argument="name",
        )
    return text


def parse_url(text: str) -> str:
    """Read the address of a receiver, without asking the network about it.

    Units:  at most 2,000 characters, all of them printable ASCII.
    Raises: InvalidArgument naming what is wrong with it.
    """
    if len(text) > URL_LIMIT:
        raise _bad_url(
            f"the URL has {len(text)} characters", f"use at most {URL_LIMIT}"
        )
    if _UNPRINTABLE.search(text):
        raise _bad_url(
            f"{text[:80]!r} holds a character that no URL has",
            "write spaces as %20 and other letters percent-encoded",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as fault:
        raise _bad_url(
            f"{text[:80]!r} is not a URL: {fault}",
            "write https://hooks.example.com/opswire",
        ) from fault
    _check_parts(text, parts, port)
    return text


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


def _check_parts(text: str, parts: SplitResult, port: int | None) -> None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise _bad_url(
            f"{text[:80]!r} is not a web address",
            "write https://hooks.example.com/opswire",
        )
    if parts.username is not None or parts.password is not None:
        raise _bad_url(
            "the URL holds a name or a password, which would stand in logs",
            "leave it out: every delivery is signed with the secret",
        )
    if parts.fragment or text.endswith("#"):
        raise _bad_url(
            f"the URL ends in a fragment, #{parts.fragment[:40]}",
            "leave it out: it is never sent",
        )
    if port == 0:
        raise _bad_url("the URL names port 0", "leave the port out, or name another")


def _check_count(name: str, values: frozenset[str]) -> None:
    if len(values) > _MOST_WANTED:
        raise InvalidArgument(
            f"{len(values)} {name} are too many",
            fix=[f"name at most {_MOST_WANTED}, or use --filter"],
            argument=name,
        )


def _bad_url(detail: str, fix: str) -> InvalidArgument:
    return InvalidArgument(detail, fix=[fix], argument="url")
