"""A relay in front of Postgres that hangs up at a chosen moment: a fault of the wire."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_SOCKET = ".s.PGSQL.5432"


class Relay:
    """Passes bytes on in both directions between clients and a server's Unix socket.

    Once `cut_after` is set, the first client that says it is hung up on, while the
    server still does what it was asked to; then `was_cut` is set.
    """

    def __init__(self, server: Path, folder: Path) -> None:
        self.cut_after = b""
        self.was_cut = threading.Event()
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as server, client:
            server.connect(str(self._server / _SOCKET))
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            with suppress(OSError):
                while sent := client.recv(65_536):
                    if self.cut_after and self.cut_after in sent:
                        self._cut(client, server, sent)
                        break
                    server.sendall(sent)

    def _cut(self, client: socket.socket, server: socket.socket, sent: bytes) -> None:
        """Hang up on the client, then let the server do what it was asked to."""
        self.cut_after = b""
        client.shutdown(socket.SHUT_RDWR)
        server.sendall(sent)
        self.was_cut.set()


@contextmanager
def relayed(url: str) -> Iterator[tuple[Relay, str]]:
    """Put a relay in front of a database; give it, and the URL through it."""
    address, _, folder = url.partition("?host=")
    with TemporaryDirectory(prefix="opswire-relay-") as own:
        relay = Relay(Path(folder), Path(own))
        yield relay, f"{address}?host={own}"
        relay.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65_536):
            sink.sendall(received)
