"""What the webhook door outwards is made of; imported with the first delivery."""

from channels.webhook import SPEC
from channels.webhook.courier import WebhookCourier
from core.kernel.addresses import parse_allowed
from gateway.adapters.outside import Outside
from gateway.doors.door import Door, Hall
from gateway.receivers import StoredReceivers


def build(hall: Hall) -> Door:
    """Build the courier of all subscriptions."""
    core = hall.core
    outside = Outside(parse_allowed(core.settings.outbound.allow))
    return Door(
        spec=SPEC,
        wire=None,
        courier=WebhookCourier(
            StoredReceivers(core.db, core.vault), outside, clock=core.clock
        ),
        healths=tuple,
        close=outside.close,
    )
