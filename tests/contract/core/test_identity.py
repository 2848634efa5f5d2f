"""Keys, links, sessions and tenants, on Postgres: the tests are those of the core."""

# ruff: noqa: F403 -- borrowing all tests of a module is the point
from tests.unit.core.identity.conftest import *
from tests.unit.core.identity.test_keys import *
from tests.unit.core.identity.test_links import *
from tests.unit.core.identity.test_sessions import *
from tests.unit.core.identity.test_tenants import *
