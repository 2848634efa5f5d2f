"""Tasks, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.collab.tasks.test_etags import *
from tests.unit.core.collab.tasks.test_keyed import *
from tests.unit.core.collab.tasks.test_listing import *
from tests.unit.core.collab.tasks.test_moves import *
from tests.unit.core.collab.tasks.test_service import *
from tests.unit.core.collab.tasks.test_workflow import *
