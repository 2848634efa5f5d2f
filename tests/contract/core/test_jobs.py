"""Jobs and what is made for them, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.jobs.test_jobs import *
