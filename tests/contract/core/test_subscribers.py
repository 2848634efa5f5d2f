"""Whoever tells subscriptions of events, on Postgres: tests of the gateway's own."""

from tests.unit.gateway.test_subscribers import (
    ann,
    reactor,
    test_each_is_told_what_it_wants,
    test_tenants_never_mix,
    test_two_gateways_post_once,
    test_what_somebody_disabled_has_made_is_disabled_at_once,
    test_while_it_is_disabled_nothing_is_posted,
    vault,
)

__all__ = [
    "ann",
    "reactor",
    "test_each_is_told_what_it_wants",
    "test_tenants_never_mix",
    "test_two_gateways_post_once",
    "test_what_somebody_disabled_has_made_is_disabled_at_once",
    "test_while_it_is_disabled_nothing_is_posted",
    "vault",
]
