"""Agents and the board, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.collab.agents.test_service import *
from tests.unit.core.collab.test_documents import *
from tests.unit.core.collab.test_service import *
