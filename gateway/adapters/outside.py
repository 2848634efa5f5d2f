"""HTTP to where users say: guarded, bounded, and never further than it was checked for.

A name is resolved once for each connection, every address it has is checked, and one of
those is connected to, so that nothing can answer differently in between. Redirects are
not followed, proxies of the environment not used, and bodies not unpacked.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from socket import SOCK_STREAM, gaierror, getaddrinfo

import httpcore2

from core.kernel.addresses import Allowed, Target, check_addresses, parse_target
from gateway.adapters.exchange import Answer, Bounds

# Servers close what is idle after five seconds or more; we are sooner, so that nothing
# is sent into a connection that is being closed.
_IDLE_SECONDS = 2.0
_MOST_IDLE = 16
_RESOLVER_THREADS = 4

_FAULTS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ConnectionNotAvailable,
)

_CUT = (
    "the receiver cut the connection before its answer was complete: "
    "look at its log, or at that of the proxy before it"
)
_NO_HTTP = (
    "the receiver answered what is no HTTP: "
    "check the port, and whether it wants https instead of http"
)
_UNREACHED = "the connection failed: check the host and the port, and that it runs"
# By a part of what the library says, which tells such faults apart in no other way.
_BROKEN = {
    "disconnected": _CUT,
    "peer closed": _CUT,
    "_SWITCH_": "the receiver answered 101 to change the protocol: "
    "give the URL of something that takes a POST",
    "buffer too long": "the receiver sent headers without an end: "
    "have it answer with a status and little else",
}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Outside:
    """Sends requests to URLs that users gave.

    Shape:  `resolve` gives the addresses of a host; without one the system is asked.
            `trusted` says whose certificates count; without one, the system's do.
    """

    def __init__(
        self,
        allowed: Allowed,
        *,
        resolve: Resolve | None = None,
        bounds: Bounds | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._resolver = _Resolver()
        context = trusted or ssl.create_default_context()
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=context,
                max_connections=self._bounds.connections,
                max_keepalive_connections=_MOST_IDLE,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=_Guarded(
                    scheme, allowed=allowed, resolve=resolve or self._resolver
                ),
            )
            for scheme in ("https", "http")
        }

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one POST; as `send`."""
        return await self.send("POST", url, headers=headers, body=body)

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request, and read the beginning of its answer.

        Raises: InvalidArgument for what is no URL; AddressRefused when it leads inside;
                OSError when it was not reached, or did not answer in time.
        """
        target = parse_target(url)
        request = self._request(method, target, headers, body)
        try:
            async with asyncio.timeout(self._bounds.total_seconds):
                return await self._exchange(self._pools[target.scheme], request)
        except TimeoutError as fault:
            raise TimeoutError(
                f"no answer within {self._bounds.total_seconds:g} s"
            ) from fault
        except gaierror as fault:
            raise ConnectionError(
                f"{target.host} has no address: check how the name is written"
            ) from fault
        except httpcore2.ConnectTimeout as fault:
            raise TimeoutError(
                f"no connection within {self._bounds.connect_seconds:g} s"
            ) from fault
        except _FAULTS as fault:
            raise ConnectionError(_told(fault)) from fault

    async def close(self) -> None:
        """Let go of all connections."""
        for pool in self._pools.values():
            await pool.aclose()
        self._resolver.close()

    def _request(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes
    ) -> httpcore2.Request:
        return httpcore2.Request(
            method,
            httpcore2.URL(
                scheme=target.scheme,
                host=target.host,
                port=target.port,
                target=target.path,
            ),
            headers=[
                ("Host", target.authority),
                ("Accept-Encoding", "identity"),
                ("Content-Length", str(len(body))),
                *headers.items(),
            ],
            content=body,
            extensions={"timeout": {"connect": self._bounds.connect_seconds}},
        )

    async def _exchange(
        self, pool: httpcore2.AsyncConnectionPool, request: httpcore2.Request
    ) -> Answer:
        most = self._bounds.answer_bytes
        response = await pool.handle_async_request(request)
        try:
            body = await _beginning(response, most)
        finally:
            # A connection whose answer was not read to its end is closed by this.
            await response.aclose()
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers
        }
        return Answer(
            status=response.status,
            headers=headers,
            body=body[:most],
            is_cut=len(body) > most,
        )


class _Guarded(httpcore2.AnyIOBackend):
    """Connects to checked addresses alone, for requests of one scheme."""

    def __init__(self, scheme: str, *, allowed: Allowed, resolve: Resolve) -> None:
        self._scheme = scheme
        self._allowed = allowed
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the seam's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check, and connect to one of what was checked.

        Raises: AddressRefused, ConnectTimeout, ConnectError; OSError when the name
                cannot be resolved.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port)
        except TimeoutError as fault:
            raise httpcore2.ConnectTimeout from fault

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the seam's signature)
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: a socket of this machine is as far inside as it gets."""
        raise httpcore2.ConnectError("sockets of this machine are not reached")

    async def _connect(self, host: str, port: int) -> httpcore2.AsyncNetworkStream:
        target = Target(scheme=self._scheme, host=host, port=port, path="/")
        found = [host] if _is_literal(host) else await self._resolve(host, port)
        if not found:
            raise ConnectionError(f"{host} has no address just now")
        faults = []
        for address in check_addresses(target, found, allowed=self._allowed):
            try:
                return await super().connect_tcp(address, port)
            except httpcore2.ConnectError as fault:
                faults.append(fault)
        raise faults[0]


class _Resolver:
    """Asks the system for addresses, in threads that nobody else waits for."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, "resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """List the addresses of a host, each once.

        Raises: OSError when there are none.
        """
        ask = partial(getaddrinfo, host.encode(), port, type=SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _beginning(response: httpcore2.Response, most: int) -> bytes:
    """Read until the end, or until there is more than is wanted."""
    read = bytearray()
    async for chunk in response.aiter_stream():
        read += chunk[: most + 1 - len(read)]
        if len(read) > most:
            break
    return bytes(read)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _told(fault: BaseException) -> str:
    """Say what happened, and what to look at; our words for what a receiver does."""
    words = str(fault)
    if isinstance(fault, httpcore2.RemoteProtocolError):
        return next((told for part, told in _BROKEN.items() if part in words), _NO_HTTP)
    if isinstance(fault, httpcore2.ReadError | httpcore2.WriteError):
        return _CUT
    while fault.__cause__ is not None:
        fault = fault.__cause__
        words = str(fault) or words
    return _UNREACHED if words in ("", "All connection attempts failed") else words
