"""`ops migrate`: bring the database to this version's schema, or look how it stands."""

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.database import open_engine
from core.database.migrate import downgrade, upgrade
from core.database.schema import SchemaState, schema_state
from gateway.cli.exits import Exit
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with


@click.command()
@click.option("--check", "is_check", is_flag=True, help="Only say how it stands.")
@click.option("--down", "revision", help='Go back to a revision ("base" for none).')
@click.pass_obj
def migrate(terminal: Terminal, *, is_check: bool, revision: str | None) -> Exit:
    """Apply the revisions that the database lacks.

    With --check it changes nothing and fails unless the schema is current.
    """
    engine = open_engine(settings_with().database)
    try:
        if revision and not is_check:
            downgrade(engine, revision=revision)
        elif not is_check:
            _upgrade(engine)
        state = schema_state(engine)
    except SQLAlchemyError as fault:
        raise click.ClickException(
            f"the database: {str(fault).splitlines()[0]}"
        ) from fault
    finally:
        engine.dispose()
    terminal.print(f"the schema is {state.value}\n")
    return Exit.FAILED if is_check and state is not SchemaState.CURRENT else Exit.OK


def _upgrade(engine: Engine) -> None:
    if schema_state(engine) is SchemaState.NEWER:
        raise click.ClickException(
            "the database belongs to a newer Opswire; install the newer version"
        )
    upgrade(engine)
