"""A real Dovecot with its mail in a scratch folder, and a mail server in front of it."""

import os
import pwd
import signal
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from mailbox import Maildir
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels.testing.mailbox import Mailboxes, StoredMail
from tests.services import find_program, free_port

_SBIN = Path("/usr/sbin")
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{folder}/mail/%u
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """One server; its master and all it started can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.tls_port = free_port()
        self.password = token_hex(8)
        self._program = find_program("dovecot", _SBIN)
        self._owner = _owner()
        self._process: subprocess.Popen[bytes] | None = None

    def set_up(self, *addresses: str) -> None:
        """Write the configuration, a certificate and the users."""
        is_root = os.geteuid() == 0
        us = pwd.getpwuid(os.geteuid()).pw_name
        self.folder.chmod(0o755)
        for address in addresses:
            (self.folder / "mail").mkdir(exist_ok=True)
            Maildir(self.folder / "mail" / address)
        for made in [self.folder / "mail", *(self.folder / "mail").rglob("*")]:
            os.chown(made, *self._owner)
        self._certify()
        users = "".join(f"{address}:{self.password}\n" for address in addresses)
        (self.folder / "users").write_text(users)
        (self.folder / "users").chmod(0o644)
        self.config.write_text(
            _CONFIG.format(
                folder=self.folder,
                port=self.port,
                tls_port=self.tls_port,
                uid=self._owner[0],
                gid=self._owner[1],
                internal="dovecot" if is_root else us,
                internal_group="dovecot" if is_root else us,
                login="dovenull" if is_root else us,
            )
        )

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "dovecot.conf"

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", self.config],
            start_new_session=True,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line.decode())
            if b"starting up" in line:
                return
        raise AssertionError(f"dovecot did not start: {''.join(said)}")

    def kill(self) -> None:
        """Kill it and everything that it started, at once."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=10)
        self._process = None

    def stop(self) -> None:
        """Stop it if it runs."""
        if self._process is not None:
            self.kill()

    def deliver(self, address: str, raw: bytes) -> None:
        """Deliver a mail as any agent delivers into a Maildir: Dovecot may be down."""
        maildir = Maildir(self.folder / "mail" / address)
        key = maildir.add(raw.replace(b"\r\n", b"\n"))
        os.chown(self.folder / "mail" / address / "new" / key, *self._owner)

    def url(self, address: str, *, scheme: str = "imap") -> str:
        """Return where the mail of an address is read."""
        login = f"{address.replace('@', '%40')}:{self.password}"
        port = self.tls_port if scheme == "imaps" else self.port
        return f"{scheme}://{login}@127.0.0.1:{port}/INBOX"

    def _certify(self) -> None:
        """Make a certificate for loopback that only who is shown it will trust."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        host = x509.IPAddress(ip_address("127.0.0.1"))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([host]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self.folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
        (self.folder / "key.pem").write_bytes(
            key.private_bytes(
                pem,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def _owner() -> tuple[int, int]:
    """Choose whose the mail is: root may own none, so it is nobody's then."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@contextmanager
def dovecot_for(*addresses: str) -> Iterator[Dovecot]:
    """Run a Dovecot with these mailboxes for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="opswire-imap-") as folder:
        server = Dovecot(Path(folder))
        server.set_up(*addresses)
        server.start()
        yield server
        server.stop()


class DeliveredToDovecot(Mailboxes):
    """Delivers the mail of one address to Dovecot, and keeps that of all others."""

    def __init__(self, dovecot: Dovecot, address: str) -> None:
        super().__init__()
        self._dovecot = dovecot
        self._address = address

    def deliver(self, address: str, raw: bytes) -> StoredMail:
        """Deliver one mail."""
        local, _, domain = address.lower().partition("@")
        if f"{local.partition('+')[0]}@{domain}" == self._address:
            self._dovecot.deliver(self._address, raw)
        return super().deliver(address, raw)


def submit(port: int, mail: EmailMessage, *, user: str, password: str) -> None:
    """Send a mail as a mail program does: signed in, over SMTP."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.login(user, password)
        client.send_message(mail)
