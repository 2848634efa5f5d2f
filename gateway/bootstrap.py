"""Builds the object graph; the only module that names concrete parts."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from importlib import import_module

from channels.terminal import render
from commands.registry import Registry
from core.approvals.requests.model import CHANNEL as APPROVALS
from core.database import Database, Tx, is_sqlite, open_engine
from core.database.schema import SchemaState, schema_state
from core.identity.keys import service as keys
from core.identity.logins import service as logins
from core.identity.tenants import service as tenants
from core.identity.tokens import Tokens
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.clock import Clock, SystemClock
from core.kernel.principal import DEFAULT_TENANT, TenantId, system
from core.kernel.problems import Unavailable
from core.secrets.model import Purpose
from core.secrets.vault import Vault
from core.workspaces.model import tenant_of as tenant_of_account
from gateway.adapters.keystore import FileKeystore
from gateway.approvals import ApprovalSource
from gateway.auth import Authenticator, BootstrapKey, signing_keys
from gateway.channel_states import ChannelStates
from gateway.core import Core
from gateway.demo import Demo
from gateway.doors.door import Builder, ChannelSource, Door, open_doors
from gateway.doors.email import open_email
from gateway.doors.slack import consent_url_of, open_slack
from gateway.every_command import every_command
from gateway.figures import LiveFigures
from gateway.flags import FlagFile
from gateway.floods import Floods
from gateway.gate import Gate
from gateway.graph import Graph
from gateway.health import Readiness, database_checks
from gateway.hooks import HookSource
from gateway.http.websocket import WebSocketDoor
from gateway.http.websocket_connection import Parts
from gateway.intake import DRAIN_EVERY, Intake
from gateway.limits import Limiter
from gateway.metrics import Metrics
from gateway.mirror import Mirror
from gateway.outward import build_outward
from gateway.pipeline import Pipeline
from gateway.probing import ChannelProbes
from gateway.recording import recorded
from gateway.runner import Runner
from gateway.senders import LinkedSenders
from gateway.settings import Settings, StreamSettings
from gateway.signin import SignIn
from gateway.simulators import DemoPeople, Simulators
from gateway.stored import Source
from gateway.streams import Streams
from gateway.supervisor import Loop, Supervisor, Ticker
from gateway.sweeper import Sweeper, list_tenants
from gateway.tails import Tails

_log = logging.getLogger(__name__)

# The channels whose senders are accounts elsewhere, by name.
DOORS: Mapping[str, Builder] = {"slack": open_slack, "email": open_email}

# How soon a tail sees what another process wrote; few share a SQLite file.
_POLL = {False: timedelta(milliseconds=200), True: timedelta(seconds=1)}


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    simulators: Simulators | None = None,
) -> Graph:
    """Build the graph of a gateway and bring its database up to date.

    Shape:  `simulators` stand for the accounts that are not set up.
    Raises: Unavailable with the command that mends it when the schema is not ours.
    """
    the_clock = clock or SystemClock()
    if simulators is not None:
        settings = simulators.applied(settings)
    db = open_database(settings, clock=clock)
    admin = db.run(_ensure_base, by=system())
    keystore = FileKeystore(settings.data / "keys" / "keystore.json")
    keystore.ring(Purpose.SIGN)  # A keystore that cannot be used is told of now.
    tokens, vault = Tokens(signing_keys(keystore)), Vault(keystore)
    limiter, metrics = Limiter(settings.limits.default), Metrics()
    channels = ChannelStates(db, limiter)
    auth = Authenticator(
        db, tokens, clock=the_clock, bootstrap=_bootstrap_key(settings, admin)
    )
    probes = ChannelProbes(db, tenant_of=_tenant_of)
    registry = Registry.of(every_command(vault, probes, consent_url_of(settings)))
    gate = Gate(
        registry,
        senders=LinkedSenders(db, _tenant_of),
        channels=channels,
        limiter=limiter,
        clock=the_clock,
    )
    pipeline = Pipeline(
        db,
        gate,
        Runner(registry, public_url=settings.public_url),
        floods=Floods(db, the_clock),
        metrics=metrics,
        reread={"rights": auth.reread, "channels": channels.reload},
    )
    core = Core(
        settings=settings,
        clock=the_clock,
        db=db,
        vault=vault,
        auth=auth,
        sign_in=SignIn(db, tokens, clock=the_clock),
        channels=channels,
        registry=registry,
        pipeline=pipeline,
        metrics=metrics,
    )
    return _with_doors(core, probes, simulators)


def _with_doors(
    core: Core, probes: ChannelProbes, simulators: Simulators | None
) -> Graph:
    """Add what runs beside the commands: streams, sockets, intake, mirror, tickers."""
    db, settings = core.db, core.settings
    tails = Tails(db, poll=_POLL[is_sqlite(db.engine)])
    doors, inboxes = open_doors(core, DOORS, tenant_of=_tenant_of)
    probes.know(doors)
    tenant_ids = _tenants_of(db)
    outward = build_outward(core, doors, tenants=tenant_ids, tenant_of=_tenant_of)
    sources: dict[str, Source] = {
        "webhook": HookSource(db),
        APPROVALS: ApprovalSource(db),
        **{door.spec.name: _source(core, door) for door in doors},
    }
    graph = Graph(
        core=core,
        readiness=Readiness(database_checks(db)),
        mirror=Mirror(db, settings.data / "collaboration", core.clock),
        tails=tails,
        intake=Intake(
            db,
            core.pipeline,
            sources=sources,
            tenants=tenant_ids,
            on_posted=outward.postman.bell.ring,
        ),
        sockets=_sockets(core, tails),
        streams=_streams(core.auth, settings.streams),
        figures=LiveFigures(db, core.metrics),
        outward=outward,
        doors=doors,
        simulators=simulators,
    )
    core.pipeline.reread["inbox"] = graph.intake.drain
    core.pipeline.reread["outbox"] = outward.postman.hurry
    for inbox in inboxes:
        inbox.intake = graph.intake
    graph.supervisor = Supervisor(_tickers(graph), _loops(graph))
    return graph


def _source(core: Core, door: Door) -> ChannelSource:
    senders = LinkedSenders(core.db, _tenant_of)
    can_edit = door.spec.capabilities.edit
    return ChannelSource(door.wire, senders, can_edit=can_edit)


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


def login_link(graph: Graph) -> str:
    """Make a one-time link that signs the first admin in; "" once there is a way in."""
    if graph.settings.bootstrap_admin_key.get_secret_value():
        return ""
    token = graph.db.run(_make_link, by=system())
    return f"{graph.settings.public_url}/auth/link#{token}" if token else ""


def _ensure_base(tx: Tx) -> User:
    tenants.ensure_default(tx)
    return users.ensure_admin(tx)


def _make_link(tx: Tx) -> str:
    """Make a link while nobody has a key or a password; later an admin makes them."""
    admin = users.ensure_admin(tx)
    if not admin.is_active or admin.has_password or keys.list_(tx, limit=1).items:
        return ""
    return logins.create_link(tx, admin.id).token


def _bootstrap_key(settings: Settings, admin: User) -> BootstrapKey | None:
    text = settings.bootstrap_admin_key.get_secret_value()
    return BootstrapKey(text, admin) if text else None


def _sockets(core: Core, tails: Tails) -> WebSocketDoor:
    parts = Parts(
        pipeline=core.pipeline,
        registry=core.registry,
        db=core.db,
        events=tails,
        terminal=render,
        clock=core.clock,
    )
    return WebSocketDoor(parts, core.auth, origins=core.settings.allowed_origins)


def _streams(auth: Authenticator, settings: StreamSettings) -> Streams:
    return Streams(
        auth,
        most=settings.most,
        keep_alive=timedelta(seconds=settings.keep_alive_seconds),
        lifetime=timedelta(seconds=settings.lifetime_seconds),
    )


def _tenant_of(channel: str, account: str) -> TenantId:
    """A workspace's account names its tenant; every other serves the default one."""
    return tenant_of_account(account) if channel == "slack" else DEFAULT_TENANT


def _tenants_of(db: Database) -> Callable[[], Awaitable[list[TenantId]]]:
    async def tenant_ids() -> list[TenantId]:
        return await db.read(list_tenants, by=system())

    return tenant_ids


def _loops(graph: Graph) -> Sequence[Loop]:
    loops = [
        Loop(name=door.spec.name, work=door.channel.run)
        for door in graph.doors
        if door.channel is not None
    ]
    loops.extend(graph.outward.loops())
    if graph.simulators is not None:
        loops.append(Loop(name="simulators", work=graph.simulators.run))
    return loops


def _tickers(graph: Graph) -> Sequence[Ticker]:
    async def fold_floods() -> None:
        graph.pipeline.floods.tick()

    flags = FlagFile(graph.settings.flags_file)
    demo = Demo(graph.db, graph.pipeline, flags=flags, clock=graph.clock)
    second = timedelta(seconds=1)
    return [
        *_demo_people(graph, flags),
        *graph.outward.tickers(),
        Ticker(name="channel-states", work=graph.core.channels.reload, every=second),
        Ticker(name="intake", work=graph.intake.drain, every=DRAIN_EVERY),
        Ticker(name="sockets", work=graph.sockets.recheck, every=5 * second),
        Ticker(name="floods", work=fold_floods, every=5 * second),
        Ticker(name="mirror", work=graph.mirror.tick, every=second / 20),
        Ticker(name="sweeper", work=Sweeper(graph.db, flags).sweep, every=second),
        Ticker(name="demo", work=demo.fill, every=5 * second),
        Ticker(name="tails", work=graph.tails.pump, every=second / 1000),
        Ticker(name="streams", work=graph.streams.beat, every=second),
        Ticker(name="stream-rights", work=graph.streams.recheck, every=20 * second),
    ]


def _demo_people(graph: Graph, flags: FlagFile) -> Sequence[Ticker]:
    """Bring in those who use the simulators."""
    if graph.simulators is None:
        return ()
    people = DemoPeople(
        graph.db, graph.pipeline, graph.simulators, flags=flags, clock=graph.clock
    )
    each = timedelta(seconds=5)
    return (Ticker(name="demo-people", work=people.settle, every=each),)
