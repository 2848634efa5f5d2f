"""The same promises on Postgres: these tests are the others, on another engine."""

from collections.abc import Iterator

import pytest

from core.database import METADATA, Database, open_engine
from gateway.recording import recorded
from tests.conftest import FakeClock
from tests.integration.webhook.test_deliveries import (
    failed,
    test_all_that_failed_are_replayed_and_nothing_else,
    test_list_is_narrowed_by_outcome_and_time,
    test_replay_of_a_replay_goes_on_from_the_newest,
    test_two_replays_at_once_are_one_run,
)
from tests.integration.webhook.test_intake import (
    test_crash_between_acknowledgement_and_effect_loses_nothing,
    test_gateways_that_find_the_same_message_run_it_once,
    test_running_gateway_leaves_what_another_has_claimed,
)
from tests.integration.webhook.test_mapped import (
    test_each_element_becomes_a_command_in_one_unit,
    test_one_bad_element_leaves_the_others_done,
)
from tests.integration.webhook.test_replay import (
    test_replay_is_answered_with_the_first_result,
    test_same_delivery_to_two_gateways_at_once_has_one_effect,
)

__all__ = [
    "failed",
    "test_all_that_failed_are_replayed_and_nothing_else",
    "test_crash_between_acknowledgement_and_effect_loses_nothing",
    "test_each_element_becomes_a_command_in_one_unit",
    "test_gateways_that_find_the_same_message_run_it_once",
    "test_list_is_narrowed_by_outcome_and_time",
    "test_one_bad_element_leaves_the_others_done",
    "test_replay_is_answered_with_the_first_result",
    "test_replay_of_a_replay_goes_on_from_the_newest",
    "test_running_gateway_leaves_what_another_has_claimed",
    "test_same_delivery_to_two_gateways_at_once_has_one_effect",
    "test_two_replays_at_once_are_one_run",
]


@pytest.fixture
def db(postgres_url: str, clock: FakeClock) -> Iterator[Database]:
    """An empty Postgres database that also keeps an inbox."""
    engine = open_engine(postgres_url)
    METADATA.create_all(engine)
    database = recorded(engine, clock=clock)
    yield database
    database.close()
