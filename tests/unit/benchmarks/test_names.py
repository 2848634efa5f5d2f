"""The registry that P-6 reads lines with is as big as it says and finds the command."""

from datetime import UTC, datetime

from benchmarks.cases.names import registry_of
from benchmarks.paired import CREATE
from commands.parser import parse


def test_line_of_the_benchmark_names_its_command_among_many() -> None:
    registry = registry_of(200)

    found = parse(
        CREATE,
        registry,
        now=datetime(2026, 11, 4, tzinfo=UTC),
        timezone="UTC",
        me="ann",
    )

    assert len(registry) == 200
    assert found.command.name == "task create"
