"""Alembic's entry: runs revisions on the connection that `migrate` holds locked."""

from alembic import context

from core.database.metadata import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=False,
    compare_server_default=True,
)
context.run_migrations()
