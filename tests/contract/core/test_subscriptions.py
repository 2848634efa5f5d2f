"""Subscriptions and what is sent for them, on Postgres: the tests are the core's."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.hooks.subscriptions.conftest import *
from tests.unit.core.hooks.subscriptions.test_deliveries import *
from tests.unit.core.hooks.subscriptions.test_service import *
