"""All tables in one place, for migrations and for the tests that compare them.

`python -m gateway.schema "what changes"` writes a new revision from the difference
between these tables and the newest revision.
"""

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from core.database import METADATA, open_engine
from core.database.migrate import upgrade, write_revision

TABLE_MODULES = (
    "core.aliases.tables",
    "core.approvals.requests.tables",
    "core.approvals.rules.tables",
    "core.approvals.tables",
    "core.audit.tables",
    "core.collab.agents.tables",
    "core.collab.tasks.tables",
    "core.database.head",
    "core.delivery.health.tables",
    "core.delivery.mail.tables",
    "core.delivery.outbox.tables",
    "core.delivery.tables",
    "core.delivery.watches.tables",
    "core.events.tables",
    "core.hooks.subscriptions.tables",
    "core.hooks.tables",
    "core.hooks.triggers.tables",
    "core.identity.tables",
    "core.jobs.exports.tables",
    "core.jobs.presets.tables",
    "core.jobs.tables",
    "core.jobs.tools.tables",
    "core.jobs.variants.tables",
    "core.leases.tables",
    "core.runs.artifacts.tables",
    "core.runs.lanes.tables",
    "core.runs.logs.tables",
    "core.runs.secrets.tables",
    "core.runs.steps.tables",
    "core.runs.tables",
    "core.runs.templates.tables",
    "core.runs.workers.tables",
    "core.schedules.tables",
    "core.workspaces.tables",
)


def whole_schema() -> MetaData:
    """Return the metadata with every table declared."""
    for name in TABLE_MODULES:
        import_module(name)
    return METADATA


def main() -> None:
    """Write a revision; it is to be read before it is committed."""
    whole_schema()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder)}/revision.db")
        if any((Path("core/database/migrations/versions")).glob("[0-9]*.py")):
            upgrade(engine)
        write_revision(engine, " ".join(sys.argv[1:]))
        engine.dispose()


if __name__ == "__main__":
    main()
