"""The session that `ops login` leaves behind, and the key that goes before it."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from core.kernel.problems import Unauthenticated
from gateway.cli.client import Client
from gateway.cli.terminal import Terminal

_EARLY_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Tokens of one gateway. Units: `expires_at` is in seconds since 1970."""

    url: str
    access_token: str
    refresh_token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, or nothing at all; it cannot be renewed."""

    text: str = ""

    def token(self) -> str:
        """Return the key."""
        return self.text

    def renew(self) -> bool:
        """Tell that there is no other."""
        return False


class SavedSession:
    """A session in a file that only its owner can read.

    Shape:  it is used for the gateway that gave it and for no other. Two `ops` that
            find it expired do not both refresh it: a refresh token works once.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._path = terminal.config_folder / "session.json"
        self._session = _read(self._path)

    @property
    def session(self) -> Session | None:
        """The session of this gateway, if there is one."""
        saved = self._session
        return saved if saved is not None and saved.url == self._terminal.url else None

    def token(self) -> str:
        """Return the access token, a new one when it has expired."""
        if self.session and self.session.expires_at - _EARLY_SECONDS < time.time():
            self.renew()
        return self.session.access_token if self.session else ""

    def renew(self) -> bool:
        """Swap the refresh token, unless another process has done so meanwhile."""
        before = self.session
        if before is None:
            return False
        with _locked(self._path):
            self._session = _read(self._path)
            if self.session is not None and self.session == before:
                self._session = self._refreshed(before)
        return self.session is not None and self.session != before

    def save(self, tokens: Mapping[str, Any], url: str) -> None:
        """Keep the tokens that a sign-in gave."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self._path):
            self._session = _write(self._path, tokens, url)

    def forget(self) -> None:
        """Remove the session from this machine."""
        self._path.unlink(missing_ok=True)
        self._session = None

    def _refreshed(self, old: Session) -> Session | None:
        client = Client(url=old.url, credential=Key(), pause=self._terminal.pause)
        answer = client.post("/auth/refresh", {"refresh_token": old.refresh_token})
        if answer.status != 200:
            return None
        return _write(self._path, orjson.loads(answer.body), old.url)


def credential_of(terminal: Terminal) -> Key | SavedSession:
    """Choose what to sign in with: OPSWIRE_API_KEY, else the saved session."""
    key = terminal.environ.get("OPSWIRE_API_KEY", "").strip()
    return Key(key) if key else SavedSession(terminal)


def client_of(terminal: Terminal) -> Client:
    """Make the client of the gateway in use; one terminal is one conversation."""
    return Client(
        url=terminal.url,
        credential=credential_of(terminal),
        pause=terminal.pause,
        conversation=f"cli-{os.getsid(0)}",
    )


def _read(path: Path) -> Session | None:
    try:
        return Session(**orjson.loads(path.read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None


def _write(path: Path, tokens: Mapping[str, Any], url: str) -> Session:
    try:
        session = Session(
            url=url,
            access_token=tokens["access_token"],
            refresh_token=tokens["refresh_token"],
            expires_at=time.time() + float(tokens["expires_in"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise Unauthenticated(
            f"{url} gave no session", fix=["ops login", "ops doctor"]
        ) from fault
    draft = path.with_suffix(".new")
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(orjson.dumps(asdict(session)))
    draft.replace(path)
    return session


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes of the same person away from the session."""
    with path.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
