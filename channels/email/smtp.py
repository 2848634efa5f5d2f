"""Hands a mail to the mail server, and tells what can be mended by waiting."""

import asyncio
import ssl
from contextlib import suppress

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from channels.base import Postponed, Undeliverable
from channels.email.servers import MailServer, Tls

DEADLINE_SECONDS = 25.0
GOODBYE_SECONDS = 2.0

FIX_SERVER = "see that OPSWIRE_EMAIL__SMTP_URL is right and the server runs"

_CLOSING = 421
_FIX_SIGN_IN = (
    "set OPSWIRE_EMAIL__SMTP_URL with the right user and password; some providers want"
    " an app password"
)
_FIX_CERTIFICATE = (
    "use the name that the certificate was made for in OPSWIRE_EMAIL__SMTP_URL, or have"
    " this machine trust whoever signed it (SSL_CERT_FILE)"
)


class ServerLost(Postponed):
    """The server cannot be used at all just now; `fix` says what would help."""

    def __init__(self, reason: str, *, fix: str) -> None:
        super().__init__(reason, is_account_wide=True)
        self.fix = fix


class SmtpSender:
    """Sends over one connection each; mails are too few to keep one open.

    Units:  `deadline` bounds all of it, in seconds.
    """

    def __init__(
        self, server: MailServer, *, deadline: float = DEADLINE_SECONDS
    ) -> None:
        self._server = server
        self._deadline = deadline
        # Reading the certificates of the world takes longer than sending a mail.
        is_private = server.tls is not Tls.NONE
        self._tls = ssl.create_default_context() if is_private else None

    async def send(self, mail: bytes, *, sender: str, to: str) -> None:
        """Send a mail; once this returns, the server answers for it.

        Raises: Postponed when it may work later; the server may have it all the same
                if the connection broke just then. Undeliverable when it never will.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._deadline):
                await client.connect()
                await client.sendmail(sender, [to], mail)
        except (SMTPException, OSError, ValueError) as fault:
            raise _judged(fault) from fault
        finally:
            await self._leave(client)

    async def check(self) -> None:
        """Connect and sign in.

        Raises: ServerLost.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._deadline):
                await client.connect()
        except (SMTPException, OSError, ValueError) as fault:
            raise _lost(fault) from fault
        finally:
            await self._leave(client)

    async def _leave(self, client: SMTP) -> None:
        """Say goodbye; a server that does not listen has the mail all the same."""
        with suppress(SMTPException, OSError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await client.quit()
        client.close()

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            oauth_token_generator=self._token if server.token else None,
            use_tls=server.tls is Tls.DIRECT,
            start_tls=server.tls is Tls.STARTTLS,
            tls_context=self._tls,
            timeout=self._deadline,
        )

    async def _token(self) -> str:
        return self._server.token


def _judged(fault: Exception) -> Postponed | Undeliverable:
    """Tell what waiting mends: all but what the server refuses for good."""
    if isinstance(fault, SMTPConnectError | SMTPHeloError | SMTPAuthenticationError):
        return _lost(fault)
    refusal = fault
    if isinstance(fault, SMTPRecipientsRefused) and fault.recipients:
        refusal = fault.recipients[0]
    if not isinstance(refusal, SMTPResponseException) or refusal.code < 400:
        return _lost(fault)
    said = f"the mail server says {refusal.code} {refusal.message}"[:300]
    if refusal.code >= 500:
        return Undeliverable(said, fix="see that the address exists and takes mail")
    return Postponed(said, is_account_wide=refusal.code == _CLOSING)


def _lost(fault: Exception) -> ServerLost:
    """Say why the server cannot be used at all just now."""
    fix = FIX_SERVER
    if isinstance(fault, SMTPAuthenticationError):
        reason = "the mail server does not take the user name and password"
        fix = _FIX_SIGN_IN
    elif (untrusted := _untrusted(fault)) is not None:
        reason = f"the mail server's certificate is not trusted: {untrusted}"
        fix = _FIX_CERTIFICATE
    elif isinstance(fault, SMTPConnectResponseError | SMTPHeloError):
        reason = f"the mail server says {fault.code}"
    elif isinstance(fault, TimeoutError):
        reason = "the mail server does not answer in time"
    elif isinstance(fault, SMTPResponseException):
        reason = "the mail server does not follow the rules of SMTP"
    else:
        reason = "the mail server cannot be reached, or hung up"
    return ServerLost(reason, fix=fix)


def _untrusted(fault: BaseException | None) -> str | None:
    """Find out what is wrong with a certificate, if that is behind a fault."""
    while fault is not None:
        if isinstance(fault, ssl.SSLCertVerificationError):
            return fault.verify_message
        fault = fault.__cause__ or fault.__context__
    return None
