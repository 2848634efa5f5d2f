"""Serves one gateway process with uvicorn."""

import gc
import logging
import sys
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from types import FrameType

import uvicorn
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core.kernel.problems import Unavailable
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.flags import FlagFile
from gateway.graph import Graph
from gateway.http.protocol import StrictHttp
from gateway.http.websocket_protocol import BoundedWebSocket
from gateway.logs import set_up_logs
from gateway.opening import login_link
from gateway.settings import Settings
from gateway.simulators import Simulators

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 10
_FRAME_BYTES = 65_536


class Server(uvicorn.Server):
    """Tells people where the gateway is once it accepts commands."""

    def __init__(self, config: uvicorn.Config, graph: Graph) -> None:
        super().__init__(config)
        self._graph = graph

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            _greet(self._graph, _port_of(self))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End what would stay open, then wait for the requests under way."""
        self._graph.end_streams()
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Turn readiness off before the sockets close."""
        self._graph.readiness.is_closing = True
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    """Run a gateway until it is told to stop.

    Raises: Unavailable in one line when the database or the data folder cannot be used.
    """
    set_up_logs(settings.log_level)
    graph = _build(settings)
    config = uvicorn.Config(
        create_app(graph),
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=StrictHttp,
        ws=BoundedWebSocket,
        ws_max_size=_FRAME_BYTES,
        ws_per_message_deflate=False,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=75,
        backlog=2048,
    )
    listening = _listen(config)
    _settle_memory()
    Server(config, graph).run(sockets=[listening])


def _listen(config: uvicorn.Config) -> socket:
    """Take the port before anything is served.

    Raises: Unavailable when somebody else has it.
    """
    family = AF_INET6 if ":" in config.host else AF_INET
    listening = socket(family=family)
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((config.host, config.port))
    except OSError as fault:
        raise Unavailable(
            f"cannot listen on {config.host}:{config.port}: {fault.strerror}",
            fix=["stop what listens there", "choose another one with OPSWIRE_PORT"],
        ) from fault
    listening.set_inheritable(True)
    return listening


def _build(settings: Settings) -> Graph:
    try:
        return build(settings, simulators=_simulators(settings))
    except (SQLAlchemyError, ImportError, OSError) as fault:
        cause = fault.orig if isinstance(fault, DBAPIError) else fault
        line = str(cause).partition("\n")[0]
        raise Unavailable(f"cannot start: {line}", fix=["ops doctor"]) from fault


def _simulators(settings: Settings) -> Simulators | None:
    """Stand in for the accounts that are missing, in demo mode; never in the way."""
    if not FlagFile(settings.flags_file).current().demo_mode:
        return None
    try:
        return Simulators.bind(settings)
    except OSError as fault:
        _log.warning("simulators.unbound", extra={"error": str(fault)})
        return None


def _settle_memory() -> None:
    """Spare the collector what lives as long as the process; worth a tenth of the rate."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _greet(graph: Graph, port: int) -> None:
    settings = graph.settings
    address = settings.base_url or f"http://{settings.host}:{port}"
    _log.info("gateway.ready", extra={"url": address})
    if link := login_link(graph.core):
        print(f"Sign in once, within 15 minutes: {link}", flush=True)  # noqa: T201
    if graph.simulators is not None:
        print(f"Try every channel: {address}/simulators", flush=True)  # noqa: T201
    print(f"Opswire is ready on {address}", flush=True)  # noqa: T201


def _port_of(server: uvicorn.Server) -> int:
    sockets = [listening for each in server.servers for listening in each.sockets]
    return int(sockets[0].getsockname()[1]) if sockets else 0
