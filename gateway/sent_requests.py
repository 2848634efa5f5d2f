"""Writes a delivery to a subscription as the request that goes out, to be looked at."""

from datetime import datetime

from commands.subscription_deliveries import Drawn
from commands.subscription_views import said_by
from core.delivery.outbox.model import Outgoing
from core.kernel.clock import to_iso
from core.kernel.jsons import to_json


def drawn(outgoing: Outgoing, at: datetime) -> Drawn:
    """Write the request of a try at a moment, without its signatures."""
    said = said_by(outgoing)["data"]
    assert isinstance(said, dict)
    body = {"type": said.get("event", "reply"), "timestamp": to_iso(at), "data": said}
    return Drawn(
        headers={
            "content-type": "application/json",
            "webhook-id": outgoing.key,
            "webhook-timestamp": str(int(at.timestamp())),
        },
        body=to_json(body).decode(),
    )
