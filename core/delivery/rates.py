"""Rates as people write them: `60/minute`, `10/5 second`."""

import re

from limits import RateLimitItem, parse

from core.kernel.problems import InvalidArgument

MOST = 1_000_000_000

_RATE = re.compile(r"\s*[0-9]{1,10}\s*(/|per)\s*([0-9]{1,5}\s*)?[A-Za-z]{3,8}\s*")


def parse_rate(text: str) -> RateLimitItem:
    """Read `60/minute`.

    Raises: InvalidArgument with an example; also for a rate that lets nothing pass,
            for then nobody could change it any more.
    """
    try:
        rate = parse(text) if _RATE.fullmatch(text) else None
    except ValueError:
        rate = None
    if rate is None or not (1 <= rate.amount <= MOST and rate.multiples):
        raise InvalidArgument(
            f"'{text[:40]}' is not a rate",
            fix=["write a rate like 60/minute"],
            argument="rate",
        )
    return rate


def write_rate(rate: RateLimitItem) -> str:
    """Write a rate the way it is set: `60/minute`, `10/5 second`."""
    unit = rate.GRANULARITY.name
    every = unit if rate.multiples == 1 else f"{rate.multiples} {unit}"
    return f"{rate.amount}/{every}"
