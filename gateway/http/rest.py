"""What every REST door does: who asks, under which key, with which headers back."""

from hashlib import sha256

from core.kernel.envelope import Envelope
from core.kernel.principal import Principal
from core.kernel.problems import InvalidHeader, UnsupportedMedia
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.http.asgi import HeaderList, Headers
from gateway.limits import Limiter

CHANNEL = "rest"
CLI_CHANNEL = "cli"

KEY_LIMIT = 255

# curl -d says the last one of everything; what counts is that the body is JSON.
_JSON_TYPES = ("", "application/json", "application/x-www-form-urlencoded")


async def sign_in(auth: Authenticator, headers: Headers) -> Principal:
    """Verify the caller's credential.

    Raises: Unauthenticated with what is wrong about it.
    """
    authorization = headers.get(b"authorization")
    api_key = headers.get(b"x-api-key")
    known = None
    if not (authorization and api_key):
        known = auth.recall(authorization or api_key)
    return known or await auth.authenticate(authorization, api_key)


def require_json(headers: Headers) -> None:
    """Check what a body says of itself; one that says nothing is taken for JSON.

    Raises: UnsupportedMedia.
    """
    media_type = headers.get(b"content-type").partition(";")[0].strip().lower()
    if media_type not in _JSON_TYPES and not media_type.endswith("+json"):
        raise UnsupportedMedia(
            f"the body is {media_type[:100]}",
            fix=["send Content-Type: application/json"],
        )


def channel_of(headers: Headers) -> str:
    """Tell the terminal client apart from other callers of the API."""
    is_cli = headers.by_name.get(b"x-opswire-client") == b"cli"
    return CLI_CHANNEL if is_cli else CHANNEL


def idempotency_key(headers: Headers) -> str:
    """Read the Idempotency-Key, "" when none is given.

    Raises: InvalidHeader when it is too long.
    """
    key = headers.get(b"idempotency-key").strip()
    if len(key) > KEY_LIMIT:
        raise InvalidHeader(
            f"the Idempotency-Key has more than {KEY_LIMIT} characters",
            fix=["use a UUID"],
        )
    return key


def hash_of(*parts: bytes) -> str:
    """Digest what makes two requests the same one."""
    return sha256(b"\n".join(parts)).hexdigest()


def limit_headers(
    limiter: Limiter, envelope: Envelope, principal: Principal
) -> HeaderList:
    """Tell the caller how its own limit stands."""
    usage = limiter.usage(envelope.channel, principal)
    return [
        (b"ratelimit-policy", usage.limit.encode()),
        (
            b"ratelimit",
            f"remaining={usage.remaining}, reset={usage.reset_seconds}".encode(),
        ),
    ]


def answer_headers(answer: Answer) -> HeaderList:
    """Name the request, and say when the answer is a stored one or worth waiting for."""
    headers: HeaderList = [(b"x-request-id", answer.reply.request_id.encode())]
    if answer.reply.replayed:
        headers.append((b"idempotency-replayed", b"true"))
    error = answer.reply.error
    if error is not None and "retry_after" in error.extra:
        headers.append((b"retry-after", str(error.extra["retry_after"]).encode()))
    if error is not None and error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="opswire"'))
    return headers
