"""The reference pages say what the code does."""

from pathlib import Path

from gateway.error_list import error_entries
from gateway.every_command import described_commands
from gateway.reference import pages
from gateway.reference.events import event_entries
from gateway.reference.settings import setting_entries

ROOT = Path(__file__).parents[4]


def test_the_pages_in_the_tree_are_those_that_the_code_writes() -> None:
    assert pages.stale(ROOT) == [], "run: make docs"


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    first = pages.write(tmp_path)

    assert set(first) == set(pages.pages())
    assert pages.write(tmp_path) == []


def test_every_command_event_error_and_setting_has_its_place() -> None:
    written = {path.name: text for path, text in pages.pages().items()}

    names = [each.name for each in described_commands()]
    assert all(f"## {name}\n" in written["commands.md"] for name in names)
    assert {"channel test", "webhook create", "workspace add"} <= set(names)
    assert all(f"`{each.type}`" in written["events.md"] for each in event_entries())
    assert all(f"`{each.code}`" in written["errors.md"] for each in error_entries())
    assert all(
        f"{each.variable}=" in written[".env.example"] for each in setting_entries()
    )
    told = {each.type for each in event_entries()}
    assert {"task_created", "user_created", "run_failed", "executor_started"} <= told
    assert "OPSWIRE_BOOTSTRAP_ADMIN_KEY=\n" in written[".env.example"]
