"""Where a simulator stands: its loopback ports, its secrets, and who is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex, token_urlsafe
from socket import AF_INET, SO_REUSEADDR, SOL_SOCKET, socket
from urllib.parse import quote

from pydantic import SecretStr

from gateway.settings import EmailSettings, SlackSettings
from gateway.simulators.acts import Person

HOST = "127.0.0.1"
MAILBOX = "ops@example.org"
AUTHSERV_ID = "mx.opswire.test"

SLACK_IDS: Mapping[Person, str] = {"ann": "U0ANN0001", "bob": "U0BOB0001"}


def address_of(person: Person) -> str:
    """Give the address that somebody writes from."""
    return f"{person}@example.org"


class Port:
    """A loopback port that is ours from the start, so that settings can name it.

    Shape:  whoever connects before it is served waits.
    """

    def __init__(self) -> None:
        self._socket = _listen(0)
        self.number: int = self._socket.getsockname()[1]

    def take(self) -> socket:
        """Give the socket to whoever serves it; they close it."""
        if self._socket.fileno() < 0:
            self._socket = _listen(self.number)
        return self._socket

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackStand:
    """What the fake Slack and the gateway agree on."""

    port: Port = field(default_factory=Port)
    signing_secret: str = field(default_factory=lambda: token_hex(16))
    app_token: str = field(default_factory=lambda: f"xapp-1-{token_hex(16)}")
    bot_token: str = field(default_factory=lambda: f"xoxb-{token_hex(16)}")

    def settings(self) -> SlackSettings:
        """Write the settings with which the Slack channel reaches it."""
        return SlackSettings(
            bot_token=SecretStr(self.bot_token),
            app_token=SecretStr(self.app_token),
            signing_secret=SecretStr(self.signing_secret),
            api_url=f"http://{HOST}:{self.port.number}/api/",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStand:
    """What the built-in mail server and the gateway agree on."""

    imap: Port = field(default_factory=Port)
    smtp: Port = field(default_factory=Port)
    password: str = field(default_factory=lambda: token_urlsafe(16))

    def settings(self) -> EmailSettings:
        """Write the settings with which the mail channel reaches it."""
        login = f"{quote(MAILBOX, safe='')}:{self.password}@{HOST}"
        return EmailSettings(
            address=MAILBOX,
            imap_url=SecretStr(f"imap://{login}:{self.imap.number}/INBOX"),
            smtp_url=SecretStr(f"smtp://{login}:{self.smtp.number}"),
            authserv_id=AUTHSERV_ID,
        )


def _listen(number: int) -> socket:
    listening = socket(AF_INET)
    try:
        listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listening.bind((HOST, number))
        listening.listen(100)
        listening.settimeout(0)
    except OSError:
        listening.close()
        raise
    return listening
