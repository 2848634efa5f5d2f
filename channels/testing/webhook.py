"""A webhook sender of one's own: signs what it delivers, as Standard Webhooks says."""

from datetime import datetime
from secrets import token_hex

from standardwebhooks import Webhook


def sign(body: str, *, key: bytes, now: datetime, id_: str = "") -> dict[str, str]:
    """Write the headers of one delivery; `id_` is the same when it comes again."""
    message_id = id_ or f"msg_{token_hex(12)}"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(key).sign(message_id, now, body),
    }
