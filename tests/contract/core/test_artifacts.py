"""Artifacts, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.runs.artifacts.test_service import *
