"""Opens the database, and lets the first admin in."""

from importlib import import_module

from core.database import Database, Tx, is_sqlite, open_engine
from core.database.schema import SchemaState, schema_state
from core.identity.keys import service as keys
from core.identity.logins import service as logins
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.clock import Clock
from core.kernel.principal import system
from core.kernel.problems import Unavailable
from gateway.auth import BootstrapKey
from gateway.core import Core
from gateway.recording import recorded
from gateway.settings import Settings


def open_database(settings: Settings, *, clock: Clock | None = None) -> Database:
    """Open the database; a SQLite file is brought up to date, Postgres must be already.

    Raises: Unavailable with the one command that fixes a missing or old schema.
    """
    engine = open_engine(settings.database)
    state = schema_state(engine)
    if state is SchemaState.NEWER:
        raise Unavailable(
            "the database belongs to a newer Opswire", fix=["install the newer version"]
        )
    if state is not SchemaState.CURRENT:
        if not is_sqlite(engine):
            raise Unavailable(f"the schema is {state.value}", fix=["run: ops migrate"])
        # Alembic is loaded by whoever needs it, which a warm start does not.
        import_module("core.database.migrate").upgrade(engine)
    return recorded(engine, clock=clock)


def login_link(core: Core) -> str:
    """Make a one-time link that signs the first admin in; "" once there is a way in."""
    if core.settings.bootstrap_admin_key.get_secret_value():
        return ""
    token = core.db.run(_make_link, by=system())
    return f"{core.settings.public_url}/auth/link#{token}" if token else ""


def ensure_base(tx: Tx) -> User:
    """Make the default tenant and its admin, unless they are there."""
    tenants.ensure_default(tx)
    return users.ensure_admin(tx)


def _make_link(tx: Tx) -> str:
    """Make a link while nobody has a key or a password; later an admin makes them."""
    admin = users.ensure_admin(tx)
    if not admin.is_active or admin.has_password or keys.list_(tx, limit=1).items:
        return ""
    return logins.create_link(tx, admin.id).token


def bootstrap_key(settings: Settings, admin: User) -> BootstrapKey | None:
    """Take the admin's key from the settings; None when they name none."""
    text = settings.bootstrap_admin_key.get_secret_value()
    return BootstrapKey(text, admin) if text else None
