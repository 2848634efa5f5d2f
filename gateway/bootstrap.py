"""Builds the object graph; the only module that names concrete parts."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from channels.terminal import render
from commands.jobs import standing as job_standing
from commands.registry import Registry
from commands.run_replies import standing
from core.approvals.requests.model import CHANNEL as APPROVALS
from core.database import Database, is_sqlite
from core.hooks.subscriptions.checks import UrlRules
from core.hooks.triggers.model import CHANNEL as TRIGGERS
from core.identity.tokens import Tokens
from core.kernel.addresses import parse_allowed
from core.kernel.clock import Clock, SystemClock
from core.kernel.principal import DEFAULT_TENANT, TenantId, system
from core.runs.artifacts.model import Uploads
from core.schedules.model import CHANNEL as SCHEDULES
from core.secrets.links import Links
from core.secrets.model import Purpose
from core.secrets.vault import Vault
from core.workspaces.model import tenant_of as tenant_of_account
from gateway.adapters.keystore import FileKeystore
from gateway.aliases import TeamAliases
from gateway.approvals import ApprovalSource
from gateway.auth import Authenticator, signing_keys
from gateway.channel_states import ChannelStates
from gateway.core import Core
from gateway.doors.door import Builder, ChannelSource, Door, open_doors
from gateway.doors.email import open_email
from gateway.doors.slack import consent_url_of, open_slack
from gateway.doors.webhook import open_webhook
from gateway.downloads import Downloads
from gateway.duties import loops_of, tickers_of
from gateway.every_command import every_command
from gateway.figures import LiveFigures
from gateway.floods import Floods
from gateway.gate import Gate
from gateway.graph import Graph
from gateway.health import Readiness, database_checks
from gateway.hooks import HookSource
from gateway.http.websocket import WebSocketDoor
from gateway.http.websocket_connection import Parts
from gateway.intake import Intake
from gateway.limits import Limiter
from gateway.metrics import Metrics
from gateway.mirror import Mirror
from gateway.opening import bootstrap_key, ensure_base, open_database
from gateway.outward import build_outward
from gateway.pipeline import Pipeline
from gateway.plugins.doors import with_plugins
from gateway.plugins.plugins import Plugins
from gateway.plugins.shelf import Shelf
from gateway.plugins.stock import Stock
from gateway.probing import ChannelProbes
from gateway.runner import Runner
from gateway.schedule_fires import ScheduleSource
from gateway.senders import LinkedSenders
from gateway.settings import Settings, StreamSettings
from gateway.signin import SignIn
from gateway.simulators import Simulators
from gateway.stored import Source
from gateway.streams import Streams
from gateway.supervisor import Supervisor
from gateway.sweeper import list_tenants
from gateway.tails import Tails
from gateway.trigger_fires import TriggerSource
from gateway.uploads import uploads_of
from gateway.waits import Waits
from gateway.workers.executors.every import check_step, executors
from gateway.workers.hosts import build_hosts

_log = logging.getLogger(__name__)

# The channels whose other end is elsewhere, by name.
DOORS: Mapping[str, Builder] = {
    "slack": open_slack,
    "email": open_email,
    "webhook": open_webhook,
}

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
    admin = db.run(ensure_base, by=system())
    keystore = FileKeystore(settings.data / "keys" / "keystore.json")
    keystore.ring(Purpose.SIGN)  # A keystore that cannot be used is told of now.
    tokens, vault = Tokens(signing_keys(keystore)), Vault(keystore)
    limiter = Limiter(settings.limits.default)
    channels, aliases = ChannelStates(db, limiter), TeamAliases(db)
    auth = Authenticator(
        db,
        tokens,
        clock=the_clock,
        bootstrap=bootstrap_key(settings, admin),
        wants_pairs=settings.jobs_auth == "both",
    )
    probes, shelf = ChannelProbes(db, tenant_of=_tenant_of), Shelf()
    links = Links(keystore)
    uploads = uploads_of(settings, links)
    downloads = Downloads(links, public_url=settings.public_url)
    registry = _registry(
        settings, vault, probes, shelf, uploads=uploads, downloads=downloads
    )
    kept = _Kept(auth, channels, aliases, limiter)
    pipeline = _pipeline(settings, registry, db=db, clock=the_clock, kept=kept)
    core = Core(
        settings=settings,
        clock=the_clock,
        db=db,
        vault=vault,
        links=links,
        auth=auth,
        sign_in=SignIn(db, tokens, clock=the_clock),
        channels=channels,
        aliases=aliases,
        registry=registry,
        pipeline=pipeline,
        metrics=pipeline.metrics,
    )
    return _with_doors(core, probes, _plugins(core, shelf), simulators)


def _registry(
    settings: Settings,
    vault: Vault,
    probes: ChannelProbes,
    shelf: Shelf,
    *,
    uploads: Uploads,
    downloads: Downloads,
) -> Registry:
    """List the commands of Opswire; those of plugins join them."""
    consent_url = consent_url_of(settings)
    allowed = parse_allowed(settings.outbound.allow)
    urls = UrlRules(allowed=allowed, own=settings.public_url)
    return Registry.of(
        every_command(
            vault,
            probes,
            shelf,
            consent_url,
            urls=urls,
            uploads=uploads,
            downloads=downloads,
            check=check_step(executors(settings)),
        )
    )


class _Kept(NamedTuple):
    """What is asked for every message, and so kept in memory."""

    auth: Authenticator
    channels: ChannelStates
    aliases: TeamAliases
    limiter: Limiter


def _pipeline(
    settings: Settings, registry: Registry, *, db: Database, clock: Clock, kept: _Kept
) -> Pipeline:
    """Build the one road; what commands alter of what is kept is read again."""
    gate = Gate(
        registry,
        senders=LinkedSenders(db, _tenant_of),
        channels=kept.channels,
        aliases=kept.aliases,
        limiter=kept.limiter,
        clock=clock,
    )
    return Pipeline(
        db,
        gate,
        Runner(registry, public_url=settings.public_url),
        floods=Floods(db, clock),
        metrics=Metrics(),
        reread={
            "rights": kept.auth.reread,
            "channels": kept.channels.reload,
            "aliases": kept.aliases.reload,
        },
    )


def _plugins(core: Core, shelf: Shelf) -> Plugins:
    """Load what is installed; what lies in the folder is read at the start."""
    stock = Stock(core.registry, shelf)
    plugins = Plugins(stock, folder=core.settings.plugins_folder, clock=core.clock)
    plugins.load_installed()
    return plugins


def _with_doors(
    core: Core, probes: ChannelProbes, plugins: Plugins, simulators: Simulators | None
) -> Graph:
    """Add what runs beside the commands: streams, sockets, intake, mirror, tickers."""
    db, settings = core.db, core.settings
    tails = Tails(db, poll=_POLL[is_sqlite(db.engine)])
    builders = with_plugins(DOORS, plugins.stock)
    doors, inboxes = open_doors(core, builders, tenant_of=_tenant_of)
    probes.know(doors)
    tenant_ids = _tenants_of(db)
    outward = build_outward(core, doors, tenants=tenant_ids, tenant_of=_tenant_of)
    hosts = build_hosts(core, executors(settings), tenants=tenant_ids)
    sources: dict[str, Source] = {
        "webhook": HookSource(db, core.registry),
        APPROVALS: ApprovalSource(db),
        TRIGGERS: TriggerSource(db, core.registry),
        SCHEDULES: ScheduleSource(db),
        **_sources(core, doors),
    }
    graph = Graph(
        core=core,
        readiness=Readiness(
            {
                **database_checks(db),
                "plugins": plugins.check,
                "reactions": outward.check,
                "workers": hosts.check,
            }
        ),
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
        plugins=plugins,
        hosts=hosts,
        doors=doors,
        simulators=simulators,
    )
    core.pipeline.patience = Waits(
        db, tails, standings={"R": standing, "J": job_standing}
    )
    core.pipeline.reread["inbox"] = graph.intake.drain
    core.pipeline.reread["outbox"] = outward.postman.hurry
    for inbox in inboxes:
        inbox.intake = graph.intake
    graph.supervisor = Supervisor(tickers_of(graph), loops_of(graph))
    return graph


def _sources(core: Core, doors: Sequence[Door]) -> Mapping[str, Source]:
    """Open what came in by the doors; what has no wire only goes out by its own."""
    senders = LinkedSenders(core.db, _tenant_of)
    return {
        door.spec.name: ChannelSource(
            door.wire, senders, can_edit=door.spec.capabilities.edit
        )
        for door in doors
        if door.wire is not None
    }


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
