"""Writes a delivery to a subscription as the request that goes out, to be looked at."""

from dataclasses import replace
from datetime import datetime

from channels.webhook.outward import render_message
from commands.subscription_deliveries import Drawn
from core.delivery.outbox.model import Outgoing
from core.kernel.principal import DEFAULT_TENANT
from gateway.tries import parcel_of


def drawn(outgoing: Outgoing, at: datetime) -> Drawn:
    """Write the request of a try at a moment, without its signatures."""
    shown = replace(outgoing, body=outgoing.shown)
    message = render_message(parcel_of(shown, DEFAULT_TENANT))
    headers = message.headers((), now=at)
    return Drawn(
        headers={
            name.lower(): value
            for name, value in headers.items()
            if name != "webhook-signature"
        },
        body=message.body.decode(),
    )
