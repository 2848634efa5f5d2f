"""The tests' own Postgres and Redis: private, empty each time, never silently absent."""

import psycopg
import pytest
import redis

from tests import services


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_postgres_database(
    postgres_url: str, turn: int
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE marks (turn integer)")
        connection.execute("INSERT INTO marks VALUES (%s)", [turn])

        assert connection.execute("SELECT turn FROM marks").fetchall() == [(turn,)]


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("turn", turn)


def test_missing_program_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSWIRE_REQUIRE_SERVICES", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        services.find_program("no-such-server")


def test_missing_program_fails_where_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSWIRE_REQUIRE_SERVICES", "1")

    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        services.find_program("no-such-server")
