"""Lanes and workers, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.runs.test_lanes import *
